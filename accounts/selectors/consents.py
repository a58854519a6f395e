from __future__ import annotations

from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from accounts import consent_texts
from accounts.models import ConsentEvent, ConsentSubject, LinkedAccount
from accounts.scopes import Scope


def consents_in_force(account: LinkedAccount) -> frozenset[Scope]:
    return frozenset(event_scope for event_scope, _version in _in_force(account))


def consent_in_force(account_id: int, scope: Scope) -> bool:
    return (
        LinkedAccount.objects.filter(pk=account_id)
        .annotate(last=last_action(scope))
        .filter(last=ConsentEvent.Action.GRANTED)
        .exists()
    )


def consents_outdated(account: LinkedAccount) -> frozenset[Scope]:
    """In force, but the text has changed in substance since: the member is asked again."""
    return frozenset(
        scope
        for scope, version in _in_force(account)
        if version < consent_texts.oldest_valid_version(scope)
    )


def consent_history(account: LinkedAccount) -> QuerySet[ConsentEvent]:
    """The account's chain, newest first."""
    return ConsentEvent.objects.filter(subject__in=_subjects(account.pk)).order_by("-sequence")


def last_action(scope: Scope) -> Subquery:
    """For an annotated LinkedAccount: `granted`, `withdrawn`, or null if never asked."""
    return Subquery(
        ConsentEvent.objects.filter(subject=OuterRef("consent_subject__subject"), scope=scope.value)
        .order_by("-sequence")
        .values("action")[:1]
    )


def _in_force(account: LinkedAccount) -> list[tuple[Scope, int]]:
    """(scope, version of the text agreed to) of what the last entry grants."""
    last = (
        ConsentEvent.objects.filter(subject__in=_subjects(account.pk), scope__in=list(Scope))
        .order_by("scope", "-sequence")
        .distinct("scope")
        .values_list("scope", "action", "text_version")
    )
    return [
        (Scope(scope), version)
        for scope, action, version in last
        if action == ConsentEvent.Action.GRANTED
    ]


def _subjects(account_id: int) -> QuerySet[ConsentSubject, UUID]:
    return ConsentSubject.objects.filter(account_id=account_id).values_list("subject", flat=True)
