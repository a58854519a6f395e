"""Triggers, since a rule that only our own code keeps is no rule.

`threadsite.erasure` is set locally by a running erasure, and by nothing else: it alone may delete
entries whose time is over. Whoever is the database's superuser can lift triggers; that is what the
MAC chain, the signed heads and `manage.py verify_consents` are for.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION consent_ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('threadsite.erasure', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the consent ledger is append-only: no % on %', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION consent_head_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.number = OLD.number AND NEW.subject = OLD.subject
        AND OLD.pruned_at IS NULL
        AND ((NEW.count = OLD.count + 1 AND NEW.pruned_at IS NULL)
             OR (NEW.count = OLD.count AND NEW.pruned_at IS NOT NULL
                 AND current_setting('threadsite.erasure', true) = 'on')) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a consent chain only grows: no such % on %', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION consent_register_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.id = OLD.id AND NEW.chains = OLD.chains + 1 THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the register of consent chains only grows: no such % on %',
        TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
"""

GUARDS = {
    "accounts_consentevent": "consent_ledger_refuse",
    "accounts_consenttext": "consent_ledger_refuse",
    "accounts_consenthead": "consent_head_only_grows",
    "accounts_consentregister": "consent_register_only_grows",
}

FORWARD = FUNCTIONS + "".join(
    f"""
CREATE TRIGGER consent_ledger_rows BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION {function}();
CREATE TRIGGER consent_ledger_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION consent_ledger_refuse();
"""
    for table, function in GUARDS.items()
)

BACKWARD = "".join(
    f"""
DROP TRIGGER consent_ledger_truncate ON {table};
DROP TRIGGER consent_ledger_rows ON {table};
"""
    for table in GUARDS
) + """
DROP FUNCTION consent_register_only_grows();
DROP FUNCTION consent_head_only_grows();
DROP FUNCTION consent_ledger_refuse();
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0001_members_links_tokens_and_consents")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
