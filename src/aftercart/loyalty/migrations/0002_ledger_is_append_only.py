"""Refuse to change or delete an entry of the ledger, whoever asks: a mistake is put right by another entry."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION loyalty_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'An entry of the ledger cannot be changed.';
END $$;
-- A customer, order or line that is deleted leaves the entries: only those columns may be emptied.
CREATE TRIGGER loyalty_ledger_append_only BEFORE UPDATE ON loyalty_loyaltyentry
FOR EACH ROW WHEN (
    (OLD.currency, OLD.kind, OLD.amount, OLD.reference, OLD.note, OLD.created_date)
        IS DISTINCT FROM (NEW.currency, NEW.kind, NEW.amount, NEW.reference, NEW.note, NEW.created_date)
    OR (NEW.user_id IS NOT NULL AND NEW.user_id IS DISTINCT FROM OLD.user_id)
    OR (NEW.order_id IS NOT NULL AND NEW.order_id IS DISTINCT FROM OLD.order_id)
    OR (NEW.made_by_id IS NOT NULL AND NEW.made_by_id IS DISTINCT FROM OLD.made_by_id)
    OR (NEW.line_id IS NOT NULL AND NEW.line_id IS DISTINCT FROM OLD.line_id)
) EXECUTE FUNCTION loyalty_refuse_change();
CREATE TRIGGER loyalty_ledger_is_kept BEFORE DELETE ON loyalty_loyaltyentry
FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_change();
"""
BACKWARD = """
DROP TRIGGER loyalty_ledger_is_kept ON loyalty_loyaltyentry;
DROP TRIGGER loyalty_ledger_append_only ON loyalty_loyaltyentry;
DROP FUNCTION loyalty_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
