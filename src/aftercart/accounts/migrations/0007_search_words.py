from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

import aftercart.lib.search

# With bodies that are bound when they are made, so that a dump is restored whatever the path of its session. What stands
# in indexes must not change its mind: whoever changes these functions makes those indexes anew.
MADE = r"""
CREATE FUNCTION search_fold(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN translate(lower(translate(given, 'İI', 'ii')), 'ışğüöçâîû', 'isguocaiu');

-- Whole words, and their pieces.
CREATE FUNCTION search_words(VARIADIC given text[]) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC
    SELECT array_to_tsvector(array_remove(string_to_array(
        whole || ' ' || translate(whole, '-_./@+,;:()&#|''"', '                '), ' '), ''))
    FROM (SELECT search_fold(translate(array_to_string(given, ' '), E'\n\r\t', '   ')) AS whole) AS folded;
END;

CREATE FUNCTION search_phone(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '~' || reverse(right(nullif(regexp_replace(given, '\D', '', 'g'), ''), 10));

-- Each word has to be the beginning of one, or of either of those that a bar parts; of one or two letters: the whole.
CREATE FUNCTION search_query(given text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC
    SELECT coalesce(string_agg('(' || any_of || ')', ' & '), '')::tsquery
    FROM unnest(string_to_array(search_fold(given), ' ')) AS word,
    LATERAL (
        SELECT string_agg('''' || replace(replace(part, '\', '\\'), '''', '''''') || ''''
            || CASE WHEN length(part) > 2 THEN ':*' ELSE '' END, ' | ') AS any_of
        FROM unnest(string_to_array(word, '|')) AS part WHERE part <> ''
    ) AS parts
    WHERE any_of IS NOT NULL;
END;
"""
UNMADE = """
DROP FUNCTION search_query(text);
DROP FUNCTION search_phone(text);
DROP FUNCTION search_words(text[]);
DROP FUNCTION search_fold(text);
"""


class Migration(migrations.Migration):
    atomic = False  # so that customers can be read and written meanwhile

    dependencies = [
        ('accounts', '0006_api_tokens'),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.RunSQL(MADE, UNMADE),
        AddIndexConcurrently(
            model_name='address',
            index=GinIndex(aftercart.lib.search.Words('last_name', 'line'), name='addresses_by_words'),
        ),
        AddIndexConcurrently(
            model_name='user',
            index=GinIndex(aftercart.lib.search.Words('email', 'first_name', 'last_name'), name='users_by_words'),
        ),
        AddIndexConcurrently(
            model_name='user',
            index=models.Index(condition=models.Q(('is_staff', True)), fields=['-id'], name='users_who_are_staff'),
        ),
        AddIndexConcurrently(
            model_name='user',
            index=models.Index(condition=models.Q(('is_active', False)), fields=['-id'], name='users_switched_off'),
        ),
    ]
