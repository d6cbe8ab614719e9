import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0011_revisions_move'),
    ]

    operations = [
        migrations.AddField(
            model_name='storeddocument',
            name='built_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddIndex(
            model_name='storeddocument',
            index=models.Index(fields=['built_at'], name='stored_documents_by_age'),
        ),
    ]
