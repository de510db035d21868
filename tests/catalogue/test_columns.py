from fashionbert.catalogue.columns import repeated, resolve_columns


def test_own_names_come_before_aliases() -> None:
    columns, faults = resolve_columns(["id", "product_id", "caption", "text", "image", "colour"], {})
    assert faults == []
    assert dict(columns.fields) == {"product_id": "product_id", "text": "text", "image": "image"}
    assert columns.attributes == ("id", "caption", "colour")


def test_usual_names_are_found_whatever_their_case_blanks_and_hyphens() -> None:
    columns, faults = resolve_columns(["SKU", "Image Path", "Description", "Sub-Category"], {})
    assert faults == []
    assert dict(columns.fields) == {
        "product_id": "SKU",
        "image": "Image Path",
        "text": "Description",
        "subcategory": "Sub-Category",
    }


def test_a_mapping_wins_and_its_column_serves_one_field_only() -> None:
    columns, faults = resolve_columns(
        ["id", "sku", "image", "title", "description"], {"text": "title", "group_id": "sku"}
    )
    assert faults == []
    assert columns.fields["product_id"] == "id"
    assert columns.fields["text"] == "title"
    assert columns.attributes == ("description",)


def test_a_template_needs_no_text_column_and_leaves_all_as_attributes() -> None:
    columns, faults = resolve_columns(["id", "image", "title"], {}, text_from_template=True)
    assert faults == []
    assert columns.attributes == ("title",)


def test_every_fault_is_listed_with_near_misses() -> None:
    _, faults = resolve_columns(["artikel", "photo", "colour"], {"product_id": "artikle", "colour": "photo"})
    assert faults == [
        "columns.product_id = 'artikle': there is no such column; did you mean 'artikel'?; "
        "there are: artikel, photo, colour",
        "columns.colour = 'photo': there is no field 'colour'; there are: product_id, image, text, group_id, category, "
        "subcategory, split",
        "no column for text: none of text, caption, description, title is there; name it with columns text=... out of: "
        "artikel, photo, colour",
    ]


def test_two_columns_of_one_name_are_a_fault() -> None:
    assert repeated(["id", "text", "image", "text"]) == ["column 'text' is there twice: rename one"]
