from django.db import migrations

from aftercart.orders.revisions import revise_orders

# All columns but those that no document or page shows (tests/db/test_revisions.py has the list).
ORDER = (
    "number", "channel_id", "user_id", "user_email", "status", "status_before", "currency", "amount",
    "amount_without_discount", "discount_amount", "shipping_amount", "shipping_tax_rate",
    "installment_interest_amount", "refund_amount", "discount_refund_amount", "shipping_refund_amount",
    "payment_option", "shipping_address", "billing_address", "invoice_number", "campaigns", "details", "version",
    "created_date", "modified_date",
)  # fmt: skip
ITEM = (
    "order_id", "parent_id", "status", "status_before", "sku", "product", "quantity", "cancelled_quantity",
    "reserved_quantity", "price_currency", "price", "retail_price", "unit_price", "total_amount", "tax_rate",
    "refund_amount", "invoice_number", "is_final_sale", "shipped_at", "delivered_at", "details", "created_date",
    "modified_date",
)  # fmt: skip
DISCOUNT = (
    "order_id", "name", "amount", "cancel_amount", "code", "offer_type", "promotion", "session_offer_type",
    "created_date", "modified_date",
)  # fmt: skip
TIMELINE = ("order_id", "item_id", "event", "actor", "cause", "data", "at")

MADE = """
INSERT INTO orders_orderrevision (order_id) SELECT id FROM orders_order;
CREATE FUNCTION orders_make_revisions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO orders_orderrevision (order_id) SELECT id FROM changed;
    RETURN NULL;
END $$;
CREATE TRIGGER orders_order_revision AFTER INSERT ON orders_order REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION orders_make_revisions();

CREATE FUNCTION orders_revise_shared() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO orders_sharedrevision AS shared (id) VALUES (1)
        ON CONFLICT (id) DO UPDATE SET revision = shared.revision + 1;
    RETURN NULL;
END $$;

-- The signed page greets its customer.
CREATE FUNCTION accounts_user_revise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE orders_orderrevision SET revision = revision + 1
        WHERE order_id IN (SELECT id FROM orders_order WHERE user_id = NEW.id);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER accounts_user_revise AFTER UPDATE OF first_name ON accounts_user
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.first_name IS DISTINCT FROM NEW.first_name)
    EXECUTE FUNCTION accounts_user_revise();
"""
UNMADE = """
DROP FUNCTION accounts_user_revise() CASCADE;
DROP FUNCTION orders_revise_shared() CASCADE;
DROP FUNCTION orders_make_revisions() CASCADE;
DELETE FROM orders_orderrevision;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_chosen_language'),
        ('orders', '0010_stored_documents'),
    ]

    operations = [
        migrations.RunSQL(MADE, UNMADE),
        migrations.RunSQL(*revise_orders("orders_order", ORDER, order="{row}.id", events="UPDATE")),
        migrations.RunSQL(*revise_orders("orders_orderitem", ITEM)),
        migrations.RunSQL(*revise_orders("orders_discountitem", DISCOUNT)),
        migrations.RunSQL(*revise_orders("orders_timelineentry", TIMELINE)),
    ]
