from django.db import migrations

# A customer's pages show the way to the points as soon as there are any. Of two first entries at once neither may
# see the other: both move the revisions.
MADE = """
CREATE FUNCTION loyalty_revise_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM loyalty_loyaltyentry WHERE user_id = NEW.user_id AND id < NEW.id) THEN
        UPDATE orders_orderrevision SET revision = revision + 1
            WHERE order_id IN (SELECT id FROM orders_order WHERE user_id = NEW.user_id);
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER loyalty_first_revise AFTER INSERT ON loyalty_loyaltyentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION loyalty_revise_first();
"""
UNMADE = "DROP FUNCTION loyalty_revise_first() CASCADE;"


class Migration(migrations.Migration):

    dependencies = [('loyalty', '0003_revisions_move')]

    operations = [migrations.RunSQL(MADE, UNMADE)]
