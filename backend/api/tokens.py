"""Tokens: get one for a password, give it back."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in, user_logged_out
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from knox.models import AuthToken
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api.errors import problems
from backend.audit.ledger import Action


class Tokens(APIView):
    """Signing in. The signals of Django write the audit rows, refusals included."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema_serializer(component_name="Credentials")
    class Input(serializers.Serializer[Any]):
        """Name and password."""

        username = serializers.CharField()
        password = serializers.CharField(trim_whitespace=False, write_only=True)

    @extend_schema_serializer(component_name="Token")
    class Output(serializers.Serializer[Any]):
        """The token is shown once; only its hash is kept."""

        token = serializers.CharField()
        expiry = serializers.DateTimeField()

    @extend_schema(
        operation_id="create_token",
        request=Input,
        responses={201: Output, **problems(400, 401, 503)},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """A token for the header `Authorization: Token ...`."""
        asked = self.Input(data=request.data)
        asked.is_valid(raise_exception=True)
        user = authenticate(request, **asked.validated_data)
        if user is None:
            raise AuthenticationFailed("Wrong name or password.")
        user_logged_in.send(sender=type(user), request=request, user=user)
        stored, token = AuthToken.objects.create(user)
        return Response(
            self.Output({"token": token, "expiry": stored.expiry}).data, status=201
        )

    def get_authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - framework's
        """A wrong password is a 401, which has to name a scheme."""
        return "Token"


class CurrentToken(APIView):
    """The token that the request came with."""

    audits: ClassVar = {"delete": Action.LOGOUT}

    @extend_schema(
        operation_id="delete_token",
        request=None,
        responses={204: None, **problems(401, 503)},
    )
    def delete(self, request: Request) -> Response:
        """Make the token worthless from now on."""
        user_logged_out.send(
            sender=type(request.user), request=request, user=request.user
        )
        request.auth.delete()
        return Response(status=204)
