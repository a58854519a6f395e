"""Instagram's access tokens, encrypted."""

from __future__ import annotations

from django.db import models

from accounts.models.linked_account import LinkedAccount


class AccessToken(models.Model):
    """Instagram's long-lived token of one account, encrypted (`accounts.crypto`).

    `version` grows with every change; writers compare it, so that of two concurrent refreshes one
    is stored and the other notices.
    """

    account = models.OneToOneField(
        LinkedAccount, on_delete=models.CASCADE, related_name="access_token"
    )
    ciphertext = models.TextField()
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            # A good token is never overwritten by an empty one.
            models.CheckConstraint(condition=~models.Q(ciphertext=""), name="token_not_empty"),
        ]

    def __str__(self) -> str:
        return f"token of account {self.account_id}"
