"""The configuration of the tests' own Dovecot (2.3), to be filled in with str.format."""

CONFIG = """\
base_dir = {folder}/run
state_dir = {folder}/run/state
instance_name = imaptap-tests-{plain_port}
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
mail_max_userip_connections = 100

ssl = {ssl}
ssl_cert = <{folder}/own/cert
ssl_key = <{folder}/own/key
disable_plaintext_auth = {no_plaintext_auth}
auth_mechanisms = {mechanisms}
auth_failure_delay = 0 secs

mail_home = {folder}/mail/%u
mail_location = maildir:~/Maildir
mail_fsync = never
imap_idle_notify_interval = 1 mins

namespace inbox {{
  inbox = yes
  separator = /
  mailbox Drafts {{
    special_use = \\Drafts
    auto = subscribe
  }}
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256
  args = scheme=PLAIN username_format=%u {folder}/users
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth.conf
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain_port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
protocol imap {{
  mail_plugins = {compress}
}}
{extra}
"""
