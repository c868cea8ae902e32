"""Triggers that refuse every change of the access log but an insert at its end."""

from django.db import NotSupportedError, migrations

TABLES = ("audit_accessevent", "audit_accessedpatient")

SQLITE_REFUSE = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'the access log is append-only'); END
"""
# INSERT OR REPLACE deletes the old row without firing a delete trigger.
SQLITE_END_ONLY = """
CREATE TRIGGER audit_accessevent_end_only BEFORE INSERT ON audit_accessevent
WHEN NEW.seq <= (SELECT max(seq) FROM audit_accessevent)
BEGIN SELECT RAISE(ABORT, 'the access log is append-only'); END
"""
SQLITE_NO_REPLACE = """
CREATE TRIGGER audit_accessedpatient_no_replace BEFORE INSERT ON audit_accessedpatient
WHEN EXISTS (
    SELECT 1 FROM audit_accessedpatient
    WHERE event_id = NEW.event_id AND position = NEW.position
)
BEGIN SELECT RAISE(ABORT, 'the access log is append-only'); END
"""
POSTGRES_FUNCTION = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the access log is append-only'; END $$
"""
POSTGRES_REFUSE = """
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()
"""


def create(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    if vendor == "sqlite":
        for table in TABLES:
            schema_editor.execute(SQLITE_REFUSE.format(table=table, verb="UPDATE"))
            schema_editor.execute(SQLITE_REFUSE.format(table=table, verb="DELETE"))
        schema_editor.execute(SQLITE_END_ONLY)
        schema_editor.execute(SQLITE_NO_REPLACE)
    elif vendor == "postgresql":
        schema_editor.execute(POSTGRES_FUNCTION)
        for table in TABLES:
            schema_editor.execute(POSTGRES_REFUSE.format(table=table))
    else:
        raise NotSupportedError(
            f"no append-only triggers for {vendor}; use SQLite or PostgreSQL"
        )


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        for table in TABLES:
            schema_editor.execute(f"DROP TRIGGER {table}_no_UPDATE")
            schema_editor.execute(f"DROP TRIGGER {table}_no_DELETE")
        schema_editor.execute("DROP TRIGGER audit_accessevent_end_only")
        schema_editor.execute("DROP TRIGGER audit_accessedpatient_no_replace")
    else:
        for table in TABLES:
            schema_editor.execute(f"DROP TRIGGER {table}_append_only ON {table}")
        schema_editor.execute("DROP FUNCTION audit_refuse()")


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
