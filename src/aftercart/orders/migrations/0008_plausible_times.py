"""Keep the times of orders where every page can reckon with them; what lies elsewhere moves to the nearest."""

import datetime

from django.db import migrations, models

EARLIEST = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
LATEST = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)

#: model: (constraint, its fields)
TABLES = {
    "order": ("plausible_times_of_an_order", ("created_date", "modified_date")),
    "orderitem": (
        "plausible_times_of_an_item",
        ("created_date", "modified_date", "shipped_at", "delivered_at"),
    ),
    "discountitem": ("plausible_times_of_a_discount", ("created_date", "modified_date")),
}


def move_to_the_nearest(apps, schema_editor):
    for name, (_constraint, fields) in TABLES.items():
        rows = apps.get_model("orders", name).objects
        for field in fields:
            rows.filter(**{f"{field}__lt": EARLIEST}).update(**{field: EARLIEST})
            rows.filter(**{f"{field}__gt": LATEST}).update(**{field: LATEST})


def constrain(model, name, fields):
    bounds = [(f"{field}__{side}", at) for field in fields for side, at in (("gte", EARLIEST), ("lte", LATEST))]
    return migrations.AddConstraint(model, models.CheckConstraint(condition=models.Q(*bounds), name=name))


class Migration(migrations.Migration):
    dependencies = [("orders", "0007_refused_readings")]
    operations = [
        migrations.RunPython(move_to_the_nearest, migrations.RunPython.noop),
        *(constrain(model, *table) for model, table in TABLES.items()),
    ]
