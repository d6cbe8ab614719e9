import django.contrib.postgres.search
import django.db.models.deletion
from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models

MADE = r"""
CREATE FUNCTION orders_write_words(ids bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO orders_orderwords AS known (order_id, words)
    SELECT orders.id, search_words(
        orders.number, orders.user_email, customer.email, customer.first_name, customer.last_name,
        search_phone(customer.phone), shipping_address ->> 'first_name', shipping_address ->> 'last_name',
        search_phone(shipping_address ->> 'phone_number'), items.words
    )
    FROM orders_order AS orders
    LEFT JOIN accounts_user AS customer ON customer.id = orders.user_id
    LEFT JOIN LATERAL (
        SELECT string_agg(concat_ws(' ', sku, product ->> 'name'), ' ') AS words
        FROM orders_orderitem WHERE order_id = orders.id
    ) AS items ON true
    WHERE orders.id = ANY (ids)
    ON CONFLICT (order_id) DO UPDATE SET words = excluded.words WHERE known.words IS DISTINCT FROM excluded.words
$$;

-- Of what is inserted, all at once; of what is changed, row by row, and only where a word may have changed.
CREATE FUNCTION orders_words_of_new_orders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orders_write_words(array_agg(id)) FROM made;
    RETURN NULL;
END $$;
CREATE TRIGGER orders_order_words AFTER INSERT ON orders_order REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION orders_words_of_new_orders();

CREATE FUNCTION orders_words_of_new_items() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orders_write_words(array_agg(DISTINCT order_id)) FROM made;
    RETURN NULL;
END $$;
CREATE TRIGGER orders_orderitem_words AFTER INSERT ON orders_orderitem REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION orders_words_of_new_items();

CREATE FUNCTION orders_words_of_an_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orders_write_words(ARRAY[NEW.id]);
    RETURN NULL;
END $$;
CREATE TRIGGER orders_order_reworded AFTER UPDATE OF number, user_id, user_email, shipping_address ON orders_order
    FOR EACH ROW WHEN ((OLD.number, OLD.user_id, OLD.user_email, OLD.shipping_address)
        IS DISTINCT FROM (NEW.number, NEW.user_id, NEW.user_email, NEW.shipping_address))
    EXECUTE FUNCTION orders_words_of_an_order();

CREATE FUNCTION orders_words_of_an_item() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orders_write_words(ARRAY[NEW.order_id]);
    RETURN NULL;
END $$;
CREATE TRIGGER orders_orderitem_reworded AFTER UPDATE OF sku, product ON orders_orderitem
    FOR EACH ROW WHEN ((OLD.sku, OLD.product) IS DISTINCT FROM (NEW.sku, NEW.product))
    EXECUTE FUNCTION orders_words_of_an_item();

CREATE FUNCTION orders_words_of_a_customer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orders_write_words(array_agg(id)) FROM orders_order WHERE user_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER accounts_user_reworded AFTER UPDATE OF email, first_name, last_name, phone ON accounts_user
    FOR EACH ROW WHEN ((OLD.email, OLD.first_name, OLD.last_name, OLD.phone)
        IS DISTINCT FROM (NEW.email, NEW.first_name, NEW.last_name, NEW.phone))
    EXECUTE FUNCTION orders_words_of_a_customer();

SELECT orders_write_words(array_agg(id)) FROM orders_order GROUP BY id / 1000;
"""
UNMADE = """
DROP FUNCTION orders_words_of_a_customer() CASCADE;
DROP FUNCTION orders_words_of_an_item() CASCADE;
DROP FUNCTION orders_words_of_an_order() CASCADE;
DROP FUNCTION orders_words_of_new_items() CASCADE;
DROP FUNCTION orders_words_of_new_orders() CASCADE;
DROP FUNCTION orders_write_words(bigint[]);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0007_search_words'),
        ('orders', '0014_lists_are_indexed'),
    ]

    operations = [
        migrations.CreateModel(
            name='OrderWords',
            fields=[
                ('order', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='words', serialize=False, to='orders.order')),
                ('words', django.contrib.postgres.search.SearchVectorField()),
            ],
        ),
        migrations.RunSQL(MADE, UNMADE),
        # After the rows are there: an index is built much faster than it grows.
        migrations.AddIndex(
            model_name='orderwords',
            index=GinIndex(fields=['words'], name='orders_by_words'),
        ),
    ]
