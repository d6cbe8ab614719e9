from django.db import migrations

# The same words as before. `search_words` looks at the folded text twice, and PostgreSQL then folds it twice, since it
# puts one function's expression into the other's; what stands in a subquery with an OFFSET is made once.
LISTED = """
        orders.number, orders.user_email, customer.email, customer.first_name, customer.last_name,
        search_phone(customer.phone), shipping_address ->> 'first_name', shipping_address ->> 'last_name',
        search_phone(shipping_address ->> 'phone_number'), items.words
"""
FROM = """
    FROM orders_order AS orders
    LEFT JOIN accounts_user AS customer ON customer.id = orders.user_id
    LEFT JOIN LATERAL (
        SELECT string_agg(concat_ws(' ', sku, product ->> 'name'), ' ') AS words
        FROM orders_orderitem WHERE order_id = orders.id
    ) AS items ON true
    WHERE orders.id = ANY (ids)
"""
WRITE = """
CREATE OR REPLACE FUNCTION orders_write_words(ids bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO orders_orderwords AS known (order_id, words) {select}
    ON CONFLICT (order_id) DO UPDATE SET words = excluded.words WHERE known.words IS DISTINCT FROM excluded.words
$$;
"""
ONE_LINE = "array_to_string(ARRAY[{listed}]::text[], ' ')".format(listed=LISTED)
for code in (10, 13, 9):
    ONE_LINE = f"replace({ONE_LINE}, chr({code}), ' ')"
FOLDED_ONCE = WRITE.format(
    select=f"SELECT id, search_pieces(whole) FROM (SELECT orders.id, search_fold({ONE_LINE}) AS whole {FROM} OFFSET 0) AS found"
)
FOLDED_TWICE = WRITE.format(select=f"SELECT orders.id, search_words({LISTED}) {FROM}")

# An order with two addresses is a little above the 2 kB from which PostgreSQL compresses a row, for a quarter of its
# size: a tenth of what it has to do for a new order, and again whenever a column of it is read.
PLAIN = "ALTER TABLE orders_order SET (toast_tuple_target = 4080);"
COMPRESSED = "ALTER TABLE orders_order RESET (toast_tuple_target);"


class Migration(migrations.Migration):

    dependencies = [('orders', '0019_one_time_codes'), ('accounts', '0009_words_are_made_faster')]

    operations = [migrations.RunSQL(FOLDED_ONCE, FOLDED_TWICE), migrations.RunSQL(PLAIN, COMPRESSED)]
