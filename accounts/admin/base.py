"""Base classes of admin pages: read-only records, lists of long tables, a log of staff views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from django.contrib import admin
from django.core.paginator import Page, Paginator
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import clock
from accounts.models import StaffView
from accounts.selectors.links import MAX_ID

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import User

    AnyModelAdmin = admin.ModelAdmin[Any]
    AnyPaginator = Paginator[Any]
else:
    AnyModelAdmin = admin.ModelAdmin
    AnyPaginator = Paginator


#: Records in a list without a search.
NEWEST: Final = 100_000


def number_in(words: str) -> int | None:
    """The number typed into a search; None for other words."""
    typed = words.isascii() and words.isdigit() and int(words) <= MAX_ID
    return int(words) if typed else None


class KeysFirst(AnyPaginator):
    """Selects a page's keys first, and joins other tables for these rows only.

    Otherwise the database sorts, or skips, whole rows with their joins: a hundred thousand of them.
    """

    def page(self, number: int | str) -> Page[Any]:
        shown = self.validate_number(number)
        first = (shown - 1) * self.per_page
        rows = cast("QuerySet[Any]", self.object_list)
        keys = list(rows.values_list("pk", flat=True)[first : first + self.per_page])
        return Page(rows.filter(pk__in=keys), shown, self)


class LoggedViewAdmin(AnyModelAdmin):
    """Logs which staff member viewed which record, and whose it was."""

    #: Otherwise Django counts the whole table beside the search's results.
    show_full_result_count = False
    paginator = KeysFirst

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        shown = self.get_object(request, object_id)
        if shown is not None and self.has_view_or_change_permission(request, shown):
            self.note(request, shown)
        return super().change_view(request, object_id, form_url, extra_context)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # A search names a person; a plain list does not.
        if request.GET.get("q") and self.has_view_or_change_permission(request):
            self.note(request, None)
        return super().changelist_view(request, extra_context)

    def note(self, request: HttpRequest, shown: Model | None) -> None:
        account_id, owner_id = self.owner_ids_of(shown) if shown is not None else (None, None)
        StaffView.objects.create(
            staff=cast("User", request.user),
            at=clock.now(),
            what=self.opts.label_lower,
            object_id="search" if shown is None else str(shown.pk),
            account_id=account_id,
            owner_id=owner_id,
        )

    def owner_ids_of(self, shown: Any) -> tuple[int | None, int | None]:
        """Return (linked account id, member id) of the record's owner."""
        return getattr(shown, "account_id", None), getattr(shown, "owner_id", None)


class RecordAdmin(LoggedViewAdmin):
    """A read-only record: nobody adds, changes or deletes it, superusers included."""

    actions: Any = None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LongRecordAdmin(RecordAdmin):
    """Records of a table without bound: the list shows only the newest.

    So counting, sorting, filtering and paging cost the same for any table size. A search gives a
    name or number in full, and finds all of its records by an index.
    """

    ordering: ClassVar[Any] = ("-id",)
    search_help_text = _(
        "The list shows the newest records. A search finds older ones too: give a number or a "
        "username in full."
    )
    #: Each leads an index, which PostgreSQL would read completely to sort by it.
    unsorted: ClassVar[frozenset[str]] = frozenset(
        {"account", "client", "staff", "subject", "user"}
    )

    def get_sortable_by(self, request: HttpRequest) -> list[Any]:
        return [each for each in self.get_list_display(request) if each not in self.unsorted]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The list's rows, also for the choices of filters."""
        rows = super().get_queryset(request)
        name = f"{self.opts.app_label}_{self.opts.model_name}_changelist"
        if request.resolver_match is None or request.resolver_match.url_name != name:
            return rows
        listed: Q | None = getattr(request, "records_listed", None)  # asked for by each filter
        if listed is None:
            words = request.GET.get("q", "").strip()
            listed = self.found(words) if words else self._newest()
            setattr(request, "records_listed", listed)  # noqa: B010
        return rows.filter(listed)

    def _newest(self) -> Q:
        last = self.model._default_manager.order_by("-pk").values_list("pk", flat=True).first()
        return Q(pk__gt=(last or 0) - NEWEST)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """`get_queryset` has searched already."""
        return queryset, False

    def found(self, words: str) -> Q:
        """The records that a search finds: columns with an index alone."""
        raise NotImplementedError
