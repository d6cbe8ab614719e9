import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Nobody can have seen a document of an order that the same transaction makes: its revision has nothing to move for.
# Whoever makes orders says so for the statements that write their rows, and for no others (actions/intake/write_orders.py).
REVISE = """
DO $$
DECLARE made record;
BEGIN
    FOR made IN
        SELECT tgname AS name, tgrelid::regclass AS owner, pg_get_triggerdef(oid) AS definition FROM pg_trigger
        WHERE tgname IN ('orders_orderitem_revise', 'orders_discountitem_revise', 'orders_timelineentry_revise')
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', made.name, made.owner);
        EXECUTE {definition};
    END LOOP;
END $$;
"""
UNLESS_NEW = "WHEN (current_setting(''aftercart.orders_are_new'', true) IS DISTINCT FROM ''on'') EXECUTE FUNCTION"
LESS = REVISE.format(definition=f"replace(made.definition, 'EXECUTE FUNCTION', '{UNLESS_NEW}')")
ALWAYS = REVISE.format(definition="regexp_replace(made.definition, 'WHEN .* EXECUTE', 'EXECUTE')")

# Numbers are looked for whole, or by their words.
NO_PATTERNS = "DROP INDEX IF EXISTS orders_order_number_abc9e0f2_like;"
PATTERNS = "CREATE INDEX orders_order_number_abc9e0f2_like ON orders_order (number varchar_pattern_ops);"


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0015_orders_are_found_by_words'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='order',
            name='user',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='orders', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='orderitem',
            name='parent',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, to='orders.orderitem'),
        ),
        migrations.AlterField(
            model_name='timelineentry',
            name='item',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, to='orders.orderitem'),
        ),
        migrations.AlterField(
            model_name='timelineentry',
            name='user',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='orderitem',
            index=models.Index(condition=models.Q(('parent__isnull', False)), fields=['parent'], name='items_of_a_parent'),
        ),
        migrations.AddIndex(
            model_name='timelineentry',
            index=models.Index(condition=models.Q(('item__isnull', False)), fields=['item'], name='entries_of_an_item'),
        ),
        migrations.AddIndex(
            model_name='timelineentry',
            index=models.Index(condition=models.Q(('user__isnull', False)), fields=['user'], name='entries_of_a_user'),
        ),
        migrations.RunSQL(LESS, ALWAYS),
        migrations.RunSQL(NO_PATTERNS, PATTERNS),
    ]
