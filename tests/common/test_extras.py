from forecasts.common.extras import install_command, missing


def test_the_command_names_the_packages_of_the_extra_and_no_others() -> None:
    command = install_command("postgres")
    assert "psycopg[binary]" in command
    assert "fastapi" not in command
    assert "forecast-ledger" not in command  # it is on no index


def test_an_error_names_the_part_and_the_command() -> None:
    error = missing("A partition", "bulk")
    assert error.message == "A partition needs packages that are not installed."
    assert install_command("bulk") in error.remedy
