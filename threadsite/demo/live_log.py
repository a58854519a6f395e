"""Links the demo's member and prints a line for each finished sync."""

from __future__ import annotations

import json
import os
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPResponse
from typing import Any, Final

PERSONA: Final = "mila.demo"
MEMBER: Final = "demo"
FOLLOWERS: Final = 400
LOOK_SECONDS: Final = 1.0


def main() -> None:
    """Set Django up, link the demo's member once, then print what each sync found."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "threadsite.settings")
    import django

    django.setup()
    try:
        link_the_demo_member()
        print_syncs()
    except KeyboardInterrupt:
        return


def say(line: str) -> None:
    """Print at once, after the local time of the site's clock."""
    from accounts import clock

    print(f"{clock.now().astimezone():%a %H:%M:%S}  {line}", flush=True)  # noqa: T201


def link_the_demo_member() -> None:
    """Link the persona by the protocol that a member's browser uses, marked `demo`."""
    from accounts.models import LinkedAccount, User

    member, created = User.objects.get_or_create(username=MEMBER)
    if created:
        member.set_password(secrets.token_urlsafe(24))
        member.save(update_fields=["password"])
    if LinkedAccount.objects.filter(owner=member, unlinked_at=None).exists():
        return
    _make_persona()
    link(member, PERSONA)
    say(f"@{PERSONA} is linked for the member “{MEMBER}”; consent marked “demo” in the ledger")


def link(member: Any, persona: str) -> None:
    """Link a persona of the sandbox as a browser would, with consent to profile and followers."""
    from django.conf import settings

    from accounts.instagram import gateway
    from accounts.scopes import Scope
    from accounts.services import consent, linking

    permissions = ["instagram_business_basic", "instagram_business_manage_insights"]
    redirect = f"{settings.PUBLIC_URL}/auth/instagram/login/callback/"
    code = _authorize(settings.INSTAGRAM_OAUTH_URL, redirect, persona, permissions)
    client = gateway.from_settings()
    short = client.exchange_code(code, redirect)
    token = client.long_lived(short.access_token)
    texts = consent.current_texts("en")
    shown = {scope.value: texts[scope].hash for scope in (Scope.PROFILE, Scope.FOLLOWERS)}
    linking.complete(
        owner=member,
        profile=client.me(token.access_token),
        token=token,
        permissions=short.permissions or frozenset(permissions),
        pending=linking.begin(shown=shown, language="en") | {"channel": "demo"},
    )


def _make_persona() -> None:
    body = json.dumps({"username": PERSONA, "followers": FOLLOWERS}).encode()
    request = urllib.request.Request(
        f"{os.environ['INSTAGRAM_GRAPH_URL']}/_sandbox/accounts/",
        data=body,
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30):
            return
    except urllib.error.HTTPError as error:
        if error.code != 409:  # it is there already
            raise


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Stops at a redirect, so that its address can be read for the code."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def _authorize(oauth_url: str, redirect: str, persona: str, permissions: list[str]) -> str:
    """Submit “allow” to the sandbox; returns the code it sends back."""
    query = urllib.parse.urlencode(
        {
            "client_id": os.environ["INSTAGRAM_CLIENT_ID"],
            "redirect_uri": redirect,
            "response_type": "code",
            "scope": ",".join(permissions),
            "state": "demo",
        }
    )
    form = [("persona", persona), ("decision", "allow"), *(("permission", p) for p in permissions)]
    request = urllib.request.Request(
        f"{oauth_url}/oauth/authorize?{query}", data=urllib.parse.urlencode(form).encode()
    )
    try:
        answer: HTTPResponse = urllib.request.build_opener(_NoRedirect).open(request, timeout=30)
    except urllib.error.HTTPError as redirected:
        location = redirected.headers.get("Location", "")
    else:
        location = answer.headers.get("Location", "")
    return urllib.parse.parse_qs(urllib.parse.urlsplit(location).query)["code"][0]


def print_syncs() -> None:
    """Print every sync that finishes from now on, until stopped."""
    from django.db import close_old_connections

    from followersync.models import SyncRun

    last = SyncRun.objects.order_by("-id").values_list("id", flat=True).first() or 0
    seen = set(SyncRun.objects.exclude(finished_at=None).values_list("id", flat=True))
    oldest = max(0, last - 50)
    while True:
        close_old_connections()
        finished = SyncRun.objects.filter(id__gt=oldest).exclude(finished_at=None)
        for run in finished.exclude(id__in=seen).order_by("finished_at"):
            seen.add(run.pk)
            say(sentence(run))
        time.sleep(LOOK_SECONDS)


def sentence(run: Any) -> str:
    """One run in one line: account, findings, calls."""
    from followersync import selectors

    name = f"@{run.account.username}"
    if run.state != run.State.SUCCEEDED:
        return f"{name}: sync {run.state} ({run.error_code or 'no reason noted'}); nobody is lost"
    view = selectors.overview(run.account)
    parts = [
        f"{count} {word}"
        for word in ("gained", "found", "returned", "renamed", "lost")
        if (count := getattr(run, word, 0))
    ]
    if view.unconfirmed:
        parts.append(f"{view.unconfirmed} not seen, unconfirmed")
    changes = ", ".join(parts) or "no change"
    plural = "call" if run.calls == 1 else "calls"
    return f"{name}: {_held(view)} · {changes} · {run.mode}, {run.calls} {plural}"


def _held(view: Any) -> str:
    if view.followers is not None:
        return f"{view.followers:,} followers"
    return "no list yet" if view.reported is None else f"Instagram counts {view.reported:,}"


if __name__ == "__main__":
    main()
