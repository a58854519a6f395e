from __future__ import annotations

import django.contrib.auth.models
import django.contrib.auth.validators
import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='ConsentHead',
            fields=[
                ('number', models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                ('subject', models.UUIDField(unique=True)),
                ('count', models.PositiveIntegerField()),
                ('mac', models.CharField(max_length=64)),
                ('pruned_at', models.DateTimeField(null=True)),
                ('signature', models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('username', models.CharField(error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                ('language', models.CharField(default='en', max_length=10, verbose_name='language')),
                ('time_zone', models.CharField(default='UTC', max_length=64, verbose_name='time zone')),
                ('email_reminder_hidden_until', models.DateTimeField(blank=True, null=True, verbose_name='reminder of a recovery contact hidden until')),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'verbose_name': 'member',
                'verbose_name_plural': 'members',
            },
            managers=[
                ('objects', django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name='ConsentEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.UUIDField()),
                ('sequence', models.PositiveIntegerField()),
                ('at', models.DateTimeField()),
                ('scope', models.CharField(choices=[('profile', 'profile'), ('followers', 'followers'), ('insights', 'insights'), ('discoverable', 'discoverable'), ('grace', 'grace')], max_length=20)),
                ('action', models.CharField(choices=[('granted', 'granted'), ('withdrawn', 'withdrawn')], max_length=10)),
                ('channel', models.CharField(choices=[('web', 'by the member on the site'), ('api', 'by a program of the member'), ('admin', 'by staff'), ('instagram', 'by Instagram'), ('demo', 'by the demonstration'), ('system', 'by the site')], max_length=10)),
                ('text_version', models.PositiveIntegerField()),
                ('text_hash', models.CharField(blank=True, max_length=64)),
                ('language', models.CharField(blank=True, max_length=10)),
                ('keep_data', models.BooleanField(default=False)),
                ('previous_mac', models.CharField(blank=True, max_length=64)),
                ('mac', models.CharField(max_length=64)),
            ],
            options={
                'verbose_name': 'consent entry',
                'verbose_name_plural': 'consent ledger',
                'constraints': [models.UniqueConstraint(fields=('subject', 'sequence'), name='consent_sequence_once'), models.CheckConstraint(condition=models.Q(('action', 'withdrawn'), models.Q(('text_hash', ''), _negated=True), _connector='OR'), name='consent_grant_names_its_text')],
            },
        ),
        migrations.CreateModel(
            name='ConsentRegister',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('chains', models.PositiveBigIntegerField(default=0)),
                ('signature', models.CharField(max_length=64)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='consent_register_single')],
            },
        ),
        migrations.CreateModel(
            name='ConsentText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(choices=[('profile', 'profile'), ('followers', 'followers'), ('insights', 'insights'), ('discoverable', 'discoverable'), ('grace', 'grace')], max_length=20)),
                ('version', models.PositiveIntegerField()),
                ('language', models.CharField(max_length=10)),
                ('text', models.TextField()),
                ('hash', models.CharField(max_length=64, unique=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('scope', 'version', 'language'), name='consent_text_once')],
            },
        ),
        migrations.CreateModel(
            name='LinkedAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('oauth', 'by Instagram'), ('archive', 'by archive')], default='oauth', max_length=10, verbose_name='kind')),
                ('instagram_id', models.CharField(blank=True, max_length=32, null=True, verbose_name='Instagram id')),
                ('app_scoped_id', models.CharField(blank=True, db_index=True, max_length=32, null=True, verbose_name='app-scoped id')),
                ('username', models.CharField(max_length=64, verbose_name='username')),
                ('account_type', models.CharField(blank=True, max_length=32, verbose_name='account type')),
                ('granted_permissions', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, size=None, verbose_name='permissions')),
                ('linked_at', models.DateTimeField(verbose_name='linked')),
                ('paused_at', models.DateTimeField(blank=True, null=True, verbose_name='paused')),
                ('needs_reconnect_since', models.DateTimeField(blank=True, null=True, verbose_name='needs reconnect since')),
                ('reconnect_reason', models.CharField(blank=True, max_length=40, verbose_name='reason')),
                ('unlinked_at', models.DateTimeField(blank=True, null=True, verbose_name='unlinked')),
                ('restorable_until', models.DateTimeField(blank=True, null=True, verbose_name='restorable until')),
                ('profile_refreshed_at', models.DateTimeField(blank=True, null=True, verbose_name='profile read')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='linked_accounts', to=settings.AUTH_USER_MODEL, verbose_name='member')),
            ],
            options={
                'verbose_name': 'linked account',
                'verbose_name_plural': 'linked accounts',
            },
        ),
        migrations.CreateModel(
            name='ConsentSubject',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.UUIDField(default=uuid.uuid4, unique=True)),
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='consent_subject', to='accounts.linkedaccount')),
            ],
        ),
        migrations.CreateModel(
            name='AccessToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ciphertext', models.TextField()),
                ('issued_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('refreshed_at', models.DateTimeField(blank=True, null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='access_token', to='accounts.linkedaccount')),
            ],
        ),
        migrations.AddIndex(
            model_name='linkedaccount',
            index=models.Index(fields=['instagram_id'], name='linked_by_instagram_id'),
        ),
        migrations.AddConstraint(
            model_name='linkedaccount',
            constraint=models.UniqueConstraint(condition=models.Q(('instagram_id__isnull', False), ('unlinked_at__isnull', True)), fields=('instagram_id',), name='linked_instagram_id_held_once'),
        ),
        migrations.AddConstraint(
            model_name='linkedaccount',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('instagram_id__isnull', True), ('kind', 'archive')), models.Q(('instagram_id__isnull', False), ('kind', 'oauth'), models.Q(('instagram_id', ''), _negated=True)), _connector='OR'), name='linked_oauth_has_instagram_id'),
        ),
        migrations.AddConstraint(
            model_name='linkedaccount',
            constraint=models.CheckConstraint(condition=models.Q(('restorable_until__isnull', True), ('unlinked_at__isnull', False), _connector='OR'), name='linked_restorable_only_when_unlinked'),
        ),
        migrations.AddConstraint(
            model_name='accesstoken',
            constraint=models.CheckConstraint(condition=models.Q(('ciphertext', ''), _negated=True), name='token_not_empty'),
        ),
    ]
