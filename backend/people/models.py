"""Who uses MindTwin, and whose data it is."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import uuid4

from django.contrib.auth.models import AbstractUser
from django.core.validators import URLValidator
from django.db import models, transaction
from django.dispatch import Signal
from django.utils import timezone

password_replaced = Signal()  # sent with `user`, and the number of `tokens` that ended


class User(AbstractUser):
    """A clinician, or with `is_service` a machine client such as an EHR.

    A machine client never reaches the admin: its acts must not pass for a person's.
    """

    is_service = models.BooleanField(default=False)

    _made_unusable = False

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(is_service=True, is_staff=True),
                name="people_service_is_not_staff",
            )
        ]

    def __str__(self) -> str:
        return f"user:{self.pk}"  # the word the audit uses; logins stay out of texts

    def set_unusable_password(self) -> None:
        """No password fits from now on."""
        super().set_unusable_password()
        self._made_unusable = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """As Django does it; where the password is another one, API tokens made with
        the old one end, and `password_replaced` is sent, all in one transaction.

        A hash that Django only makes anew at a login is no other password.
        """
        raw = getattr(self, "_password", None)  # Django's note of a password just set
        replaced = raw is not None or self._made_unusable
        if self._state.adding or not replaced:
            super().save(*args, **kwargs)
            return
        with transaction.atomic():
            super().save(*args, **kwargs)
            tokens = self.auth_token_set  # type: ignore[attr-defined] # knox's
            ended, _ = tokens.all().delete()
            password_replaced.send(sender=User, user=self, tokens=ended)
        self._made_unusable = False


class WriteMode(models.TextChoices):
    """How much of a forecast a site's EHR takes."""

    FULL = "full", "full: Observation, Device and Provenance"
    FLAT = "flat", "flat: Observation without what the EHR strips"
    NONE = "none", "none: nothing is written"


class Site(models.Model):
    """A clinic and its EHR. The slug is part of every blind index: it never changes."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    ehr_url = models.URLField(validators=[URLValidator(schemes=["http", "https"])])
    write_mode = models.CharField(
        max_length=4, choices=WriteMode.choices, default=WriteMode.FULL
    )
    reads_restricted = models.BooleanField(
        default=False,
        help_text="read patients whom the EHR labels as restricted or very restricted",
    )

    def __str__(self) -> str:
        return self.slug


class SiteMember(models.Model):
    """A machine client that serves a whole site. No effect for a person."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sites")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "user"], name="people_member_once")
        ]

    def __str__(self) -> str:
        return f"user:{self.user_id} at site {self.site_id}"


class PatientQuerySet(models.QuerySet["Patient"]):
    """Patients, narrowed to those somebody may see."""

    def visible_to(self, user: User) -> PatientQuerySet:
        """Patients of the user's care teams; a machine client's sites as well.

        Staff and superusers see no patient unless they belong to a team.
        """
        if not user.is_active:
            return self.none()
        mine = models.Q(
            pk__in=CareTeamMember.objects.filter(user=user).values("patient")
        )
        if user.is_service:
            mine |= models.Q(
                site__in=SiteMember.objects.filter(user=user).values("site")
            )
        return self.filter(mine)


class Patient(models.Model):
    """A patient under our own id; the EHR's id is sealed, and found by a keyed hash.

    `opted_out` is our own flag; why is nobody's business here and not kept.
    `closed` is the reason (a `RecordClosed.reason`) that the EHR gave at the last pull,
    and `merged_into` the patient whose record took this one's place there.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="patients")
    ehr_id_index = models.CharField(max_length=64, editable=False)
    ehr_id_sealed = models.BinaryField()
    created = models.DateTimeField(default=timezone.now, editable=False)
    opted_out = models.BooleanField(
        default=False,
        help_text="nothing is pulled, shown or delivered while this is set",
    )
    closed = models.CharField(max_length=12, blank=True, editable=False)
    merged_into = models.ForeignKey(
        "self",
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="merged",
    )

    objects: ClassVar = PatientQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "ehr_id_index"], name="people_patient_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(merged_into=models.F("pk")),
                name="people_patient_not_into_itself",
            ),
        ]

    def __str__(self) -> str:
        return f"patient {self.pk}"


class PatientKey(models.Model):
    """A patient's data key, wrapped by the master key `master_id`.

    Deleting the row makes everything sealed for the patient unreadable for ever. Keep
    this table out of backups of the data, or they keep what was shredded.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    patient = models.OneToOneField(
        Patient, on_delete=models.CASCADE, related_name="key"
    )
    wrapped = models.BinaryField()
    master_id = models.CharField(max_length=32)

    def __str__(self) -> str:
        return f"key {self.pk}"


class CareTeamMember(models.Model):
    """A user who treats a patient, and since when."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="team")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="teams")
    since = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "user"], name="people_team_member_once"
            )
        ]

    def __str__(self) -> str:
        return f"user:{self.user_id} for patient {self.patient_id}"
