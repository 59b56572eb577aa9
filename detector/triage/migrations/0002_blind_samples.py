from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("triage", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="alert",
            name="sample_probability",
            field=models.FloatField(null=True),
        ),
        migrations.CreateModel(
            name="SampleDraw",
            fields=[
                ("night", models.DateField(primary_key=True, serialize=False)),
                ("expected", models.FloatField()),
                ("wanted", models.IntegerField()),
                ("eligible", models.IntegerField()),
            ],
        ),
    ]
