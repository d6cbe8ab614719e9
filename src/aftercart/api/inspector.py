"""How drf-spectacular looks at a view. Apart from `schema`, which the framework's own import would meet half-made."""

from typing import Any

from drf_spectacular.openapi import AutoSchema as FrameworkSchema


class AutoSchema(FrameworkSchema):
    """Takes examples as they are: a list's is the whole list already, where the framework would wrap it."""

    _is_giving_examples = False

    def _get_examples(self, *args: Any, **options: Any) -> Any:
        self._is_giving_examples = True
        try:
            return super()._get_examples(*args, **options)
        finally:
            self._is_giving_examples = False

    def _is_list_view(self, serializer: Any = None) -> bool:
        return not self._is_giving_examples and super()._is_list_view(serializer)
