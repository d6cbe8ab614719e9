import pytest
from django.test import Client

from aftercart.accounts.models import Session, User


@pytest.mark.django_db
def test_a_session_row_knows_its_user(client: Client) -> None:
    user = User.objects.create_user("Ayse@Example.com", "secret-12345")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    assert user.email == "ayse@example.com"
    assert [session.user_id for session in Session.objects.all()] == [user.pk]
