"""Formats of times and numbers in the reader's language and zone."""

from __future__ import annotations

from datetime import datetime

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from accounts import clock


def number(value: int) -> str:
    """1204 is "1,204" in English and "1.204" in German."""
    return formats.number_format(value, decimal_pos=0, use_l10n=True, force_grouping=True)


def ago(at: datetime) -> str:
    """Such as "3 minutes ago"."""
    return str(naturaltime(at - clock.ahead())).replace("\xa0", " ")


def moment(at: datetime) -> str:
    """The clock time, after the day unless that is today."""
    local = timezone.localtime(at)
    time = formats.date_format(local, "H:i")
    if local.date() == timezone.localdate(clock.now()):
        return time
    # Translators: a day of the year and a time, as in "3 May, 10:05".
    return _("%(day)s, %(time)s") % {"day": day(at), "time": time}


def day(at: datetime) -> str:
    """The day, with its year unless it is the current one."""
    local = timezone.localtime(at)
    same_year = local.year == timezone.localdate(clock.now()).year
    # Translators: Django's date format of a day without its year, as in "3 May".
    return formats.date_format(local, _("j F") if same_year else "DATE_FORMAT")
