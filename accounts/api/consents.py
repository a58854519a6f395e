"""API `/accounts/{id}/consents/`: consents of a linked account, and withdrawing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import ApiView
from accounts.api.idempotency import idempotent
from accounts.api.pagination import page_by_id, whole
from accounts.api.schema import operation, page_of
from accounts.api.serializers import NoInput, PageQuery, StrictSerializer, UtcField
from accounts.errors import NotAllowed, NotFound
from accounts.models import ConsentEvent
from accounts.scopes import Scope
from accounts.selectors import consent_history, consents_in_force, consents_outdated
from accounts.services import consent
from accounts.services.quotas import spend

if TYPE_CHECKING:
    from accounts.models import LinkedAccount


class ConsentOutput(serializers.Serializer[Any]):
    """One scope: whether consent is in force, and its text."""

    scope = serializers.ChoiceField([scope.value for scope in Scope])
    granted = serializers.BooleanField()
    since = UtcField(allow_null=True, help_text="Since when it is granted, or withdrawn.")
    outdated = serializers.BooleanField(
        help_text="Granted, but the text has changed in substance: the member is asked again."
    )
    granted_text_version = serializers.IntegerField(allow_null=True)
    text = serializers.CharField(help_text="The text in force, in the member's language.")
    text_hash = serializers.CharField(help_text="Of `text`; a grant must name it.")
    text_version = serializers.IntegerField()
    language = serializers.CharField()


def consent_states(account: LinkedAccount) -> list[dict[str, Any]]:
    """All scopes in order, each with its last entry in the ledger."""
    granted, outdated = consents_in_force(account), consents_outdated(account)
    last: dict[str, ConsentEvent] = {}
    for event in consent_history(account):
        last.setdefault(event.scope, event)
    return [
        {
            "scope": scope.value,
            "granted": scope in granted,
            "outdated": scope in outdated,
            "since": last[scope].at if scope in last else None,
            "granted_text_version": last[scope].text_version if scope in granted else None,
            "text": text.text,
            "text_hash": text.hash,
            "text_version": text.version,
            "language": text.language,
        }
        for scope, text in consent.current_texts(get_language() or "en").items()
    ]


def _scope(name: str) -> Scope:
    try:
        return Scope(name)
    except ValueError:
        raise NotFound from None


class ConsentsView(ApiView):
    scopes = {"GET": "accounts:read"}

    @operation(
        "consents_list", "Every purpose and its consent", {200: page_of(ConsentOutput, "Consents")}
    )
    def get(self, request: Request, account_id: int) -> Response:
        self.query(NoInput)
        states = consent_states(self.account(account_id))
        return Response(whole(ConsentOutput(states, many=True).data))


class ConsentView(ApiView):
    """Programs may read and withdraw. Only the member grants, signed in on this site."""

    # PUT is listed so that a program is told why it may not, and not that a scope is missing.
    scopes = {"GET": "accounts:read", "PUT": "accounts:write", "DELETE": "accounts:write"}

    class GrantSerializer(StrictSerializer):
        text_hash = serializers.CharField(max_length=64)
        language = serializers.CharField(max_length=10, required=False)

    class WithdrawSerializer(StrictSerializer):
        keep_data = serializers.BooleanField(
            default=False,
            help_text="Keep what this purpose paid for. Itself a grant: the web session only.",
        )

    @operation("consents_retrieve", "One purpose and its consent", {200: ConsentOutput})
    def get(self, request: Request, account_id: int, scope: str) -> Response:
        return self._shown(self.account(account_id), _scope(scope))

    @operation(
        "consents_grant",
        "Allow a purpose (web session only)",
        {200: ConsentOutput},
        takes=GrantSerializer,
    )
    @idempotent
    def put(self, request: Request, account_id: int, scope: str) -> Response:
        account, purpose = self.account(account_id), _scope(scope)
        self._refuse_programs()
        given = self.read(self.GrantSerializer)
        spend(user_id=self.member().pk, name="grant")
        consent.grant(
            account=account, scope=purpose, channel="web", actor=self.member(),
            text_hash=given["text_hash"], language=given.get("language", get_language() or "en"),
        )  # fmt: skip
        return self._shown(account, purpose)

    @operation("consents_withdraw", "Withdraw a purpose", {204: None}, takes=WithdrawSerializer)
    @idempotent
    def delete(self, request: Request, account_id: int, scope: str) -> Response:
        account, purpose = self.account(account_id), _scope(scope)
        keep = self.read(self.WithdrawSerializer)["keep_data"]
        if keep:
            self._refuse_programs()
        consent.withdraw(
            account=account, scope=purpose, channel=self.channel(), actor=self.member(),
            keep_data=keep,
        )  # fmt: skip
        return Response(status=204)

    def _refuse_programs(self) -> None:
        if self.by_program():
            raise NotAllowed(
                "consent_needs_member",
                _("Only the member can allow this, signed in on this site. Send them there."),
            )

    def _shown(self, account: LinkedAccount, scope: Scope) -> Response:
        state = next(s for s in consent_states(account) if s["scope"] == scope.value)
        return Response(ConsentOutput(state).data)


class ConsentHistoryView(ApiView):
    """The account's part of the consent ledger."""

    scopes = {"GET": "accounts:read"}

    class OutputSerializer(serializers.Serializer[Any]):
        sequence = serializers.IntegerField()
        at = UtcField()
        scope = serializers.CharField()
        action = serializers.ChoiceField(["granted", "withdrawn"])
        channel = serializers.ChoiceField(ConsentEvent.Channel.values)
        text_version = serializers.IntegerField()
        text_hash = serializers.CharField()
        language = serializers.CharField()
        keep_data = serializers.BooleanField()

    @operation(
        "consents_history",
        "The ledger, newest first",
        {200: page_of(OutputSerializer, "ConsentHistory")},
        query=PageQuery,
    )
    def get(self, request: Request, account_id: int) -> Response:
        query = self.query(PageQuery)
        events = consent_history(self.account(account_id))

        def show(rows: list[ConsentEvent]) -> Any:
            return self.OutputSerializer(rows, many=True).data

        return Response(page_by_id(request, events, show, **query))
