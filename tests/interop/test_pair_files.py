from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashionbert.errors import PairFileError, SettingsError
from fashionbert.interop import EVALUATION_SCHEMA, TRAINING_SCHEMA, parse_row, parse_schema, read_lines
from fashionbert.interop.pair_files import PairRow

SCHEMA = parse_schema("image_feature:float:4,input_ids:int:2,prod_desc:str:1")
ROW = "1.5,-2e-3,0,3\t7,8\tA red dress, short\n"


def rows_of(*paths: Path) -> Iterator[PairRow]:
    return (parse_row(place, line, SCHEMA) for place, line in read_lines(paths))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.tsv"


def test_the_published_schemas() -> None:
    evaluation, training = parse_schema(EVALUATION_SCHEMA), parse_schema(TRAINING_SCHEMA)
    assert [(column.name, column.length) for column in evaluation[:2]] == [
        ("image_feature", 64 * 2048),
        ("image_mask", 64),
    ]
    assert [column.name for column in evaluation if column.kind == "str"] == [
        "prod_desc",
        "text_prod_id",
        "image_prod_id",
        "prod_img_id",
    ]
    assert [column.length for column in training] == [131072, 64, 5, 64, 64, 64, 10, 10, 10, 1]


def test_every_fault_of_a_schema() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_schema("a:int:3,b:long:1,c,a:int:0,d:str:1,d:str:1")
    assert [fault.split(" ")[0] for fault in caught.value.faults] == ["'b:long:1'", "'c'", "'a:int:0'", "'d'"]


def test_a_row(file: Path) -> None:
    file.write_text(ROW)
    (row,) = rows_of(file)
    assert row.place == f"{file}, line 1"
    assert row.raw == ROW.encode()
    np.testing.assert_array_equal(row.values["image_feature"], np.array([1.5, -2e-3, 0, 3], np.float32))
    assert row.values["image_feature"].dtype == np.float32
    assert row.values["input_ids"].tolist() == [7, 8]
    assert row.values["prod_desc"] == "A red dress, short"


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=4, max_size=4))
def test_numbers_as_python_writes_them(tmp_path_factory: pytest.TempPathFactory, numbers: list[float]) -> None:
    file = tmp_path_factory.mktemp("rows") / "rows.tsv"
    file.write_text(",".join(map(repr, numbers)) + "\t1, 2\tx\n")
    (row,) = rows_of(file)
    np.testing.assert_array_equal(row.values["image_feature"], np.array(numbers, np.float32))


def test_files_after_one_another(tmp_path: Path) -> None:
    paths = [tmp_path / "a", tmp_path / "b"]
    paths[0].write_text(ROW + "\n" + ROW)
    paths[1].write_bytes(ROW.rstrip("\n").encode() + b"\r\n\r\n")
    places = [f"{paths[0]}, line 1", f"{paths[0]}, line 3", f"{paths[1]}, line 1"]
    assert [row.place for row in rows_of(*paths)] == places
    assert [row.values["prod_desc"] for row in rows_of(*paths)] == ["A red dress, short"] * 3


def test_a_comma_at_the_end_is_no_value(file: Path) -> None:
    """TensorFlow's splitting passes over empty parts, so their files may have one."""
    file.write_text("1,2,3,4,\t7,8,\tx,\n")
    (row,) = rows_of(file)
    assert row.values["image_feature"].tolist() == [1, 2, 3, 4]
    assert row.values["prod_desc"] == "x,"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("1,2,3\t7,8\tx", "line 2: image_feature has 3 values, the schema says 4"),
        ("1,2,3,4,5\t7,8\tx", "image_feature has 5 values"),
        ("1,2,3,4,,\t7,8\tx", "image_feature has 5 values"),
        ("\t\t", "line 2: image_feature has 1 values"),
        ("1,2,3\t7\tx", "image_feature has 3 values, the schema says 4; input_ids has 1 values, the schema says 2"),
        ("1,2,,4\t7,8\tx", "line 2: image_feature holds what is no float"),
        ("1,2,nan,4\t7,8\tx", "line 2: image_feature holds NaN or infinity at value 2"),
        ("1,2,3,1e99\t7,8\tx", "NaN or infinity at value 3"),
        ("1,2,3,4\t7,8.5\tx", "line 2: input_ids holds what is no int"),
        ("1,2,3,4\t7,8", "line 2 has 2 columns, the schema 3"),
        ("1,2,3,4\t7,8\tx\ty", "line 2 has 4 columns"),
        (b"1,2,3,4\t7,8\t\xff", "line 2 is not UTF-8"),
    ],
)
def test_malformed_rows_are_named_by_line(file: Path, line: str | bytes, fault: str) -> None:
    file.write_bytes(ROW.encode() + (line if isinstance(line, bytes) else line.encode()) + b"\n" + ROW.encode())
    rows = rows_of(file)
    next(rows)
    with pytest.raises(PairFileError) as caught:
        next(rows)
    assert fault in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PairFileError, match="nowhere cannot be read"):
        next(read_lines([tmp_path / "nowhere"]))
