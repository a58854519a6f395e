"""Consent texts in both languages, by scope and version. Pure.

A change in substance is a new version at the end of the list: members are then asked again. An old
version is never edited or removed, since the ledger names it by its hash. A spelling correction is
a new version too, with `substantial=False`: nobody is asked again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from accounts.scopes import GRACE, Scope

LANGUAGES: Final = ("en", "de")


@dataclass(frozen=True)
class Version:
    en: str
    de: str
    substantial: bool = True

    def text(self, language: str) -> str:
        return self.de if language == "de" else self.en


TEXTS: Final[dict[str, tuple[Version, ...]]] = {
    Scope.PROFILE: (
        Version(
            en=(
                "Read my account's figures: how many followers, followed accounts and posts "
                "Instagram counts. Why: to show them to me over time, and to notice when my list "
                "here no longer agrees with Instagram. Kept: as long as the account is linked; "
                "erased when I withdraw this or unlink."
            ),
            de=(
                "Die Kennzahlen meines Kontos lesen: wie viele Follower, gefolgte Konten und "
                "Beiträge Instagram zählt. Wozu: um sie mir im Zeitverlauf zu zeigen und um zu "
                "bemerken, wenn meine Liste hier nicht mehr mit Instagram übereinstimmt. "
                "Gespeichert: solange das Konto verknüpft ist; gelöscht, wenn ich dies widerrufe "
                "oder die Verknüpfung löse."
            ),
        ),
        Version(
            en=(
                "Read how many followers Instagram counts for my account, and keep that figure "
                "over time. Why: to show it to me now and as a line through time, here, in my "
                "copy and to programs that I give access. If I allow this and not my list, only "
                "the figure is read, and no list. Kept: as long as the account is linked; erased "
                "when I withdraw this or unlink."
            ),
            de=(
                "Lesen, wie viele Follower Instagram für mein Konto zählt, und diese Zahl im "
                "Zeitverlauf speichern. Wozu: um sie mir jetzt und als Linie im Zeitverlauf zu "
                "zeigen, hier, in meiner Kopie und für Programme, denen ich Zugriff gebe. Erlaube "
                "ich dies und meine Liste nicht, wird nur die Zahl gelesen und keine Liste. "
                "Gespeichert: solange das Konto verknüpft ist; gelöscht, wenn ich dies widerrufe "
                "oder die Verknüpfung löse."
            ),
        ),
    ),
    Scope.FOLLOWERS: (
        Version(
            en=(
                "Read the list of people who follow me, again and again by itself, and keep it: "
                "of each person the Instagram id, the username, their place in the list and the "
                "times at which they came and left; no name, no picture. Why: so that my "
                "followers here stay equal to my followers on Instagram and I can see who came "
                "and who left. Kept: as long as the account is linked; list and history are "
                "erased when I withdraw this or unlink."
            ),
            de=(
                "Die Liste der Personen lesen, die mir folgen, immer wieder und von selbst, und "
                "sie speichern: von jeder Person die Instagram-Kennung, den Benutzernamen, ihren "
                "Platz in der Liste und die Zeitpunkte, zu denen sie kam und ging; keinen Namen, "
                "kein Bild. Wozu: damit meine Follower hier mit meinen Followern auf Instagram "
                "übereinstimmen und ich sehe, wer kam und wer ging. Gespeichert: solange das "
                "Konto verknüpft ist; Liste und Verlauf werden gelöscht, wenn ich dies widerrufe "
                "oder die Verknüpfung löse."
            ),
        ),
        Version(
            en=(
                "Read the list of people who follow me, again and again by itself, and keep it: "
                "of each person the Instagram id, the username, their place in the list and the "
                "times at which they came and left; no name, no picture. With it goes the number "
                "of followers that Instagram counts: it is read to check the list, and only the "
                "last figure and what the rules of the check remember of it are kept; it is not "
                "shown. Why: so that my followers here stay equal to my followers on Instagram "
                "and I can see who came and who left. Kept: as long as the account is linked; "
                "list and history are erased when I withdraw this or unlink."
            ),
            de=(
                "Die Liste der Personen lesen, die mir folgen, immer wieder und von selbst, und "
                "sie speichern: von jeder Person die Instagram-Kennung, den Benutzernamen, ihren "
                "Platz in der Liste und die Zeitpunkte, zu denen sie kam und ging; keinen Namen, "
                "kein Bild. Dazu die Zahl der Follower, die Instagram zählt: Sie wird gelesen, um "
                "die Liste zu prüfen; gespeichert wird nur die letzte Zahl und was sich die "
                "Regeln der Prüfung davon merken, gezeigt wird sie nicht. Wozu: damit meine "
                "Follower hier mit meinen Followern auf Instagram übereinstimmen und ich sehe, "
                "wer kam und wer ging. Gespeichert: solange das Konto verknüpft ist; Liste und "
                "Verlauf werden gelöscht, wenn ich dies widerrufe oder die Verknüpfung löse."
            ),
        ),
    ),
    Scope.INSIGHTS: (
        Version(
            en=(
                "Read the statistics that Instagram keeps of my account: how many followers it "
                "has, daily gains and losses, and totals by age, city, country and gender, never "
                "of single people. Why: to "
                "show me how my account grows. Kept: as long as the account is linked; erased "
                "when I withdraw this or unlink."
            ),
            de=(
                "Die Statistiken lesen, die Instagram über mein Konto führt: wie viele Follower es "
                "hat, tägliche Zu- und Abgänge sowie Summen nach Alter, Stadt, Land und "
                "Geschlecht, nie über einzelne "
                "Personen. Wozu: um mir zu zeigen, wie mein Konto wächst. Gespeichert: solange "
                "das Konto verknüpft ist; gelöscht, wenn ich dies widerrufe oder die Verknüpfung "
                "löse."
            ),
        ),
    ),
    Scope.DISCOVERABLE: (
        Version(
            en=(
                "Show other members that I am here, if they follow my linked account or I follow "
                "theirs, and they have allowed the same. Why: so that we find each other on this "
                "site. Kept: nothing beyond this permission; when I withdraw it, I vanish from "
                "their pages, and they from mine, at once."
            ),
            de=(
                "Anderen Mitgliedern zeigen, dass ich hier bin, wenn sie meinem verknüpften Konto "
                "folgen oder ich ihrem und wenn sie dasselbe erlaubt haben. Wozu: damit wir "
                "einander auf dieser Seite finden. Gespeichert: nichts außer dieser Erlaubnis; "
                "widerrufe ich sie, verschwinde ich sofort von ihren Seiten und sie von meinen."
            ),
        ),
    ),
    GRACE: (
        Version(
            en=(
                "Keep what was stored for this account for a while after I unlink it, so that "
                "everything is there again if I link it again in that time. Nothing is read from "
                "Instagram in the meantime. Afterwards all of it is erased by itself; I can have "
                "it erased earlier at any time."
            ),
            de=(
                "Das zu diesem Konto Gespeicherte nach dem Lösen der Verknüpfung noch eine Weile "
                "aufbewahren, damit alles wieder da ist, wenn ich das Konto in dieser Zeit erneut "
                "verknüpfe. Von Instagram wird inzwischen nichts gelesen. Danach wird alles von "
                "selbst gelöscht; ich kann es jederzeit früher löschen lassen."
            ),
        ),
    ),
}


def language_of(code: str) -> str:
    """Our language for a code such as `de-AT`; English if we have none."""
    base = code.lower().partition("-")[0]
    return base if base in LANGUAGES else "en"


def current_version(scope: str) -> int:
    return len(TEXTS[scope])


def oldest_valid_version(scope: str) -> int:
    """Consent to this version or a later one is still valid."""
    versions = TEXTS[scope]
    changed = [number for number, each in enumerate(versions, 1) if each.substantial]
    return max(changed, default=1)


def text_hash(scope: str, version: int, language: str, text: str) -> str:
    """Hex SHA-256 over scope, version, language and text."""
    return hashlib.sha256("\n".join([scope, str(version), language, text]).encode()).hexdigest()
