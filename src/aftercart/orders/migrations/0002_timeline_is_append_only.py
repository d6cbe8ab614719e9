"""Refuse to change a timeline entry, whoever asks: what happened, happened."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION orders_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A timeline entry cannot be changed.';
END $$;
-- A user who is deleted leaves their entries: only that column may be emptied.
CREATE TRIGGER orders_timeline_append_only BEFORE UPDATE ON orders_timelineentry
FOR EACH ROW WHEN (
    (OLD.order_id, OLD.item_id, OLD.event, OLD.actor, OLD.cause, OLD.data, OLD.at)
    IS DISTINCT FROM (NEW.order_id, NEW.item_id, NEW.event, NEW.actor, NEW.cause, NEW.data, NEW.at)
) EXECUTE FUNCTION orders_refuse_change();
"""
BACKWARD = """
DROP TRIGGER orders_timeline_append_only ON orders_timelineentry;
DROP FUNCTION orders_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
