from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("triage", "0002_blind_samples")]

    operations = [
        migrations.AddField(
            model_name="alertfinding",
            name="reasons",
            field=models.JSONField(default=dict),
        ),
    ]
