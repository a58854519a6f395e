"""Admin pages of the consent ledger and the consent texts, read-only."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q

from accounts.admin.base import LongRecordAdmin, RecordAdmin
from accounts.models import ConsentEvent, ConsentSubject, ConsentText


@admin.register(ConsentEvent)
class ConsentEventAdmin(LongRecordAdmin):
    list_display = ("subject", "sequence", "at", "scope", "action", "channel", "text_version")
    list_filter = ("scope", "action", "channel")
    search_fields = ("subject",)
    exclude = ("mac", "previous_mac")

    def found(self, words: str) -> Q:
        try:
            return Q(subject=UUID(words))
        except ValueError:
            return Q(pk__in=())

    def owner_ids_of(self, shown: Any) -> tuple[int | None, int | None]:
        subject = ConsentSubject.objects.filter(subject=shown.subject).select_related("account")
        found = subject.first()
        return (found.account_id, found.account.owner_id) if found else (None, None)


@admin.register(ConsentText)
class ConsentTextAdmin(RecordAdmin):
    list_display = ("scope", "version", "language", "hash")
    list_filter = ("scope", "language")
