"""ref.sites: one row per site with its zone."""

from support.tables import ask, database, fill


def test_a_site_keeps_its_time_zone():
    connection = database()
    fill(connection, "mapped.sites", {"SITEID": "101", "COUNTRY": "DE", "TZ": "Europe/Berlin"})
    assert ask(connection, "ref.sites").rows() == [("101", "DE", "Europe/Berlin")]
