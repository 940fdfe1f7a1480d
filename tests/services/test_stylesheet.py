from django.contrib.staticfiles.finders import get_finders

from workflows_app.services.setup.stylesheet import NAME, PARTS


def test_the_parts_are_served_as_one_in_their_order():
    listed = {path: storage for finder in get_finders() for path, storage in finder.list([])}
    with listed[NAME].open(NAME) as file:
        whole = file.read().decode()
    places = []
    for part in PARTS:
        with listed[f"workflows_app/{part}"].open(f"workflows_app/{part}") as file:
            places.append(whole.index(file.read().decode()))
    assert places == sorted(places)


def test_it_is_as_new_as_its_newest_part():
    listed = {path: storage for finder in get_finders() for path, storage in finder.list([])}
    newest = max(listed[f"workflows_app/{p}"].get_modified_time(f"workflows_app/{p}") for p in PARTS)
    assert listed[NAME].get_modified_time(NAME).timestamp() == newest.timestamp()
