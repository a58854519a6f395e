import django.contrib.postgres.functions
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0010_counters'),
    ]

    operations = [
        migrations.CreateModel(
            name='ErasureList',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mark', models.CharField(max_length=32)),
                ('made_at', models.DateTimeField()),
                ('seen_on', models.CharField(blank=True, default='', max_length=80)),
            ],
        ),
        migrations.CreateModel(
            name='FilePiece',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100)),
                ('number', models.PositiveIntegerField()),
                ('data', models.BinaryField()),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='siteprocess',
            name='marks',
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.CreateModel(
            name='KeptFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True)),
                ('area', models.CharField(choices=[('exports', 'copies for members'), ('imports', 'archives to be imported'), ('transfers', 'files pushed by data-transfer tools')], max_length=10)),
                ('key', models.TextField()),
                ('size', models.BigIntegerField(default=0)),
                ('stored_at', models.DateTimeField()),
                ('complete', models.BooleanField(default=False)),
            ],
            options={
                'verbose_name': 'kept file',
                'verbose_name_plural': 'kept files',
            },
        ),
        migrations.CreateModel(
            name='NightJob',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, unique=True, verbose_name='work')),
                ('night', models.DateField(verbose_name='night')),
                ('started_at', models.DateTimeField(verbose_name='started')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='finished')),
                ('cursor', models.JSONField(default=dict)),
                ('memory', models.JSONField(default=dict)),
                ('done', models.BigIntegerField(default=0, verbose_name='done')),
                ('slices', models.PositiveIntegerField(default=0, verbose_name='slices')),
                ('seconds', models.FloatField(default=0.0, verbose_name='seconds')),
                ('longest', models.FloatField(default=0.0, verbose_name='longest slice')),
                ('failures', models.PositiveIntegerField(default=0, verbose_name='failures in a row')),
                ('error_code', models.CharField(blank=True, default='', max_length=60, verbose_name='last error')),
                ('not_before', models.DateTimeField(null=True)),
                ('worker', models.UUIDField(null=True)),
                ('claimed_until', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'nightly work',
                'verbose_name_plural': 'nightly work',
            },
        ),
        migrations.RemoveConstraint(
            model_name='erasureentry',
            name='erasure_listed_once',
        ),
        migrations.AddField(
            model_name='erasureentry',
            name='deletion',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='entries', to='accounts.deletionrequest'),
        ),
        migrations.AddField(
            model_name='erasureentry',
            name='listed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='erasureentry',
            name='number',
            field=models.UUIDField(db_default=django.contrib.postgres.functions.RandomUUID(), default=uuid.uuid4, unique=True),
        ),
        migrations.AddField(
            model_name='erasureentry',
            name='scope',
            field=models.CharField(blank=True, db_default='', default='', max_length=20),
        ),
        migrations.AddField(
            model_name='erasureneedle',
            name='length',
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name='erasureentry',
            name='kind',
            field=models.CharField(choices=[('account', 'account'), ('member', 'member'), ('scope', 'what one consent paid for'), ('person', 'somebody who is no member')], max_length=10),
        ),
        migrations.AlterField(
            model_name='erasureentry',
            name='owner_fingerprint',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddIndex(
            model_name='erasureentry',
            index=models.Index(condition=models.Q(('listed_at__isnull', True)), fields=['id'], name='erasure_not_listed'),
        ),
        migrations.AddConstraint(
            model_name='erasurelist',
            constraint=models.CheckConstraint(condition=models.Q(('id', 1)), name='erasurelist_is_one'),
        ),
        migrations.AddConstraint(
            model_name='filepiece',
            constraint=models.UniqueConstraint(fields=('name', 'number'), name='filepiece_once'),
        ),
        migrations.AddField(
            model_name='keptfile',
            name='account',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.linkedaccount'),
        ),
        migrations.AddField(
            model_name='keptfile',
            name='owner',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='keptfile',
            index=models.Index(fields=['area', 'stored_at'], name='keptfile_oldest'),
        ),
        migrations.AddConstraint(
            model_name='keptfile',
            constraint=models.CheckConstraint(condition=models.Q(('owner__isnull', True), ('account__isnull', True), _connector='XOR'), name='keptfile_belongs_to_one'),
        ),
        # Ciphertext does not shrink: PostgreSQL need not try.
        migrations.RunSQL(
            sql="ALTER TABLE accounts_filepiece ALTER COLUMN data SET STORAGE EXTERNAL",
            reverse_sql="ALTER TABLE accounts_filepiece ALTER COLUMN data SET STORAGE EXTENDED",
        ),
    ]
