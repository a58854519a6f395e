"""Rows for tests. Everything that a service can make is made by the service."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import factory
from factory.django import DjangoModelFactory

from accounts import clock, crypto
from accounts.models import AccessToken, LinkedAccount, User
from accounts.scopes import BASIC_PERMISSION, INSIGHTS_PERMISSION, Scope
from accounts.services import consent as consent_service

PASSWORD = "correct horse battery"


class MemberFactory(DjangoModelFactory):  # type: ignore[misc]
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"member{n}")
    email = factory.LazyAttribute(lambda member: f"{member.username}@example.org")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return model_class.objects.create_user(*args, **{"password": PASSWORD, **kwargs})


class LinkedAccountFactory(DjangoModelFactory):  # type: ignore[misc]
    """A proven account with every permission; pass `kind="archive"` for an unproven one."""

    class Meta:
        model = LinkedAccount

    owner = factory.SubFactory(MemberFactory)
    kind = LinkedAccount.Kind.OAUTH
    instagram_id = factory.LazyAttributeSequence(
        lambda account, n: None if account.kind == "archive" else str(17841400000000000 + n)
    )
    app_scoped_id = factory.LazyAttributeSequence(
        lambda account, n: None if account.kind == "archive" else str(24000000000000000 + n)
    )
    username = factory.Sequence(lambda n: f"ig.person{n}")
    granted_permissions = factory.LazyFunction(lambda: [BASIC_PERMISSION, INSIGHTS_PERMISSION])
    linked_at = factory.LazyFunction(clock.now)


class AccessTokenFactory(DjangoModelFactory):  # type: ignore[misc]
    class Meta:
        model = AccessToken

    account = factory.SubFactory(LinkedAccountFactory)
    ciphertext = factory.LazyFunction(lambda: crypto.encrypt("IGAAtoken"))
    issued_at = factory.LazyFunction(clock.now)
    expires_at = factory.LazyAttribute(lambda token: token.issued_at + timedelta(days=60))


def consent(account: LinkedAccount, *scopes: Scope, language: str = "en") -> None:
    """The owner allows `scopes` in their own session, to the text in force."""
    for scope in scopes:
        consent_service.grant(
            account=account,
            scope=scope,
            text_hash=consent_service.current_text(scope, language).hash,
            language=language,
            channel="web",
            actor=account.owner,
        )
