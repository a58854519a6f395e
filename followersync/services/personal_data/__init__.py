"""Personal data of followersync: consent coverage, erasure, export, retention and suppression."""
