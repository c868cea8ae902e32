"""Scores of single days go, and all scores and differences of erased patients."""

from django.db import migrations


def forget_the_erased(apps, _schema_editor):
    """As `predictions.erasure.forget` does from now on when a key is destroyed."""
    key = apps.get_model("people", "PatientKey")
    erased = apps.get_model("predictions", "Prediction").objects.exclude(
        patient__in=key.objects.values("patient")
    )
    for name in ("OutcomeScore", "ShadowAnswer"):
        rows = apps.get_model("predictions", name).objects
        rows.filter(prediction__in=erased).delete()
    erased.update(scored_with="")


class Migration(migrations.Migration):

    dependencies = [
        ("predictions", "0003_monitoring"),
    ]

    operations = [
        migrations.RunPython(forget_the_erased, migrations.RunPython.noop),
        migrations.RemoveField(model_name="outcomescore", name="ahead"),
    ]
