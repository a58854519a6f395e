"""`python -m drills.person STEP`: a member and a non-member in a site's database, step by step.

`make` creates both, `erase` erases both, `left` counts what names them, with payloads and files
decoded. Uses the site of the environment, as `manage.py` does.
"""

from __future__ import annotations

import io
import sys
from typing import Any

#: Words that occur nowhere else: names, ids and an address.
MEMBER = "quetzalmember"
ACCOUNT = "quetzal.drill"
MAIL = "quetzal@nowhere-else.example"
INSTAGRAM_ID = "17841499887766551"
STRANGER = "wombat.drill"
STRANGER_ID = 17841400777000001
WORDS = (MEMBER, ACCOUNT, MAIL, INSTAGRAM_ID, STRANGER, str(STRANGER_ID))
KEPT = "stays.drill"


def make() -> None:
    """Two members with an account and followers each; one has an export."""
    from accounts import clock, files
    from accounts.models import LinkedAccount, User
    from accounts.scopes import BASIC_PERMISSION, Scope
    from accounts.services import consent, export
    from accounts.services.erasure import restored_backup
    from followersync.models import Follower, SyncSettings

    restored_backup.compare()
    owner = User.objects.create_user(MEMBER, MAIL)
    other = User.objects.create_user("other.member", "other@people.example")
    for member, name, number in (
        (owner, ACCOUNT, INSTAGRAM_ID),
        (other, KEPT, "17841499000000001"),
    ):
        account = LinkedAccount.objects.create(
            owner=member,
            kind="oauth",
            instagram_id=number,
            username=name,
            granted_permissions=[BASIC_PERMISSION],
            linked_at=clock.now(),
        )
        consent.grant(
            account=account,
            scope=Scope.FOLLOWERS,
            text_hash=consent.current_text(Scope.FOLLOWERS, "en").hash,
            language="en",
            channel="web",
            actor=member,
        )
        Follower.objects.create(account_id=account.pk, key=STRANGER_ID, place=1, username=STRANGER)
        Follower.objects.create(account_id=account.pk, key=2, place=2, username="follower.of.both")
        SyncSettings.objects.filter(account=account).update(followers_count=2)
        files.keep(files.Area.IMPORTS, io.BytesIO(name.encode() * 99), account=account)
    export.advance(export.request_export(owner=owner).pk)
    print(f"{User.objects.count()} members, {Follower.objects.count()} followers")


def erase() -> None:
    """The member deletes everything, the non-member is suppressed; both are completed."""
    from accounts.models import User
    from accounts.services import erasure, suppression

    request = suppression.suppress_proven(
        instagram_id=str(STRANGER_ID), username=STRANGER, language="en"
    )
    while suppression.advance(request.pk):
        pass
    deletion = erasure.request_full_erasure(owner=User.objects.get(username=MEMBER), channel="web")
    while erasure.advance(deletion.pk):
        pass
    deletion.refresh_from_db()
    request.refresh_from_db()
    print(f"member: {deletion.state}, receipt {deletion.code}; non-member: {request.state}")


def left() -> None:
    """How often each word occurs anywhere: in columns as text, in decoded payloads and files."""
    from django.db import connection

    from accounts import files
    from accounts.models import KeptFile
    from accounts.services.erasure import payloads

    texts: list[str] = [str(payload.value) for payload in payloads.all_payloads()]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            texts += [text for (text,) in cursor.fetchall()]
    for name in KeptFile.objects.values_list("name", flat=True):
        with files.opened(name) as file:
            texts.append(file.read().decode("latin-1"))
    found = sum(word in text.lower() for text in texts for word in WORDS)
    kept = sum(KEPT in text for text in texts)
    print(f"{found} rows and files name them; {kept} name the other member")


def main() -> None:
    """Set Django up and run the step."""
    import django

    django.setup()
    steps: dict[str, Any] = {"make": make, "erase": erase, "left": left}
    steps[sys.argv[1]]()


if __name__ == "__main__":
    main()
