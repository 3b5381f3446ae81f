# ruff: noqa: E501 (the tables read better on long lines)
import pytest

from skillagent.schema import Action, Element

pytestmark = pytest.mark.browser


def lines(seen):
    return seen.text.splitlines()[1:]  # the first says which page it is


READ = [
    pytest.param("<button>Go</button>", ['[1] button "Go"'], id="a button"),
    pytest.param("<button disabled>Go</button>", ['[1] button "Go" disabled'], id="a disabled button"),
    pytest.param("<p><label>User</label><input value=bob></p>", ['[1] textbox near "User" = "bob"'], id="a loose label"),
    pytest.param("<label>User <input></label>", ['[1] textbox "User"'], id="a label around its field"),
    pytest.param("<input type=password value=abc aria-label=P>", ['[1] textbox "P" = "•••"'], id="a password is masked"),
    pytest.param("<input type=checkbox id=c checked><label for=c>Tea</label>", ['[1] checkbox "Tea" checked'], id="a box"),
    pytest.param("<input type=radio> red<br><input type=radio> blue", ['[1] radio near "red"', "text: red", '[2] radio near "blue"', "text: blue"], id="loose radios"),
    pytest.param("<select aria-label=C><option>A<option selected>B</select>", ['[1] combobox "C" = "B" options: A | B'], id="a drop-down"),
    pytest.param("<span onclick='1'>here</span> and there", ['[1] clickable "here"', "text: and there"], id="a listener without a role"),
    pytest.param("<div id=d>x</div><script>d.addEventListener('click',()=>1)</script>", ['[1] clickable "x"'], id="a listener that left no trace"),
    pytest.param("<i class='icon icon-trash' onclick='1' style='display:block;width:9px;height:9px'></i>", ['[1] clickable "trash"'], id="an icon is named by its class"),
    pytest.param("<table><tr><td>Name<td>Ann</table>", ["row: Name | Ann"], id="a row on one line"),
    pytest.param("<h1>Top</h1><ul><li>a<li>b</ul>", ["heading: Top", "- a", "- b"], id="a heading and a list"),
    pytest.param("<div style='display:none'>no</div><p style='visibility:hidden'>no</p>yes", ["text: yes"], id="hidden things are left out"),
    pytest.param("<svg width=100 height=50><circle cx=20 cy=20 r=10 fill=red onclick=1 /></svg>", ["[1] drawing at 58,33 size 100x50", " [2] circle red at 28,28 size 20x20"], id="a drawing"),
    pytest.param("<svg width=99 height=50 onclick=1><rect width=10 height=10 fill='#ffff00'/></svg>", ["[1] drawing at 58,33 size 99x50", " [2] rectangle yellow at 13,13 size 10x10"], id="a colour that ends in zero is not transparent"),
    pytest.param("<canvas width=40 height=30></canvas>", ["[1] canvas at 28,23 size 40x30"], id="a canvas"),
    pytest.param("<details><summary>More</summary>text</details>", ['[1] button "More" collapsed'], id="a closed section"),
    pytest.param("<div role=dialog aria-label=Sure><button>Yes</button></div>", ['dialog "Sure":', ' [1] button "Yes"'], id="a dialog"),
    pytest.param("<p>A <button>Buy</button></p><p>B <button>Buy</button></p>", ["text: A", '[1] button "Buy" in "A"', "text: B", '[2] button "Buy" in "B"'], id="equal buttons are told apart"),
    pytest.param("<iframe srcdoc='<button>In</button>'></iframe>", ['[1] button "In"'], id="a frame of the same site"),
    pytest.param("<div id=h></div><script>h.attachShadow({mode:'open'}).innerHTML='<button>S</button>'</script>", ['[1] button "S"'], id="a shadow tree"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), READ)
def test_what_a_page_shows_is_told_in_lines(desk, body, expected):
    assert lines(desk.show(body)) == expected


def test_the_same_node_keeps_its_ref_and_a_new_one_gets_a_new_number(desk):
    desk.show(
        "<button onclick=\"this.before(Object.assign(document.createElement('button'),{textContent:'New'}))\">Old</button>"
    )
    seen = desk.do("click", ref="1").observation
    assert [(e.ref, e.name) for e in seen.elements] == [("2", "New"), ("1", "Old")]


def test_a_long_page_is_cut_with_what_is_in_view_kept_and_the_elements_whole(desk):
    body = "".join(f"<p><button>Button number {i}</button></p>" for i in range(600))
    seen = desk.show(body)
    assert len(seen.text) <= 6000
    assert seen.cut > 0 and f"{seen.cut} characters cut" in seen.text
    assert "Button number 0" in seen.text and "Button number 599" not in seen.text
    assert len(seen.elements) == 600
    seen = desk.do("scroll", direction="down", ref="600").observation
    assert "Button number 15" in seen.text


def test_an_element_says_where_it_is(desk):
    seen = desk.show("<button style='position:absolute;left:100px;top:50px;width:40px;height:20px'>Go</button>")
    assert seen.elements == (Element(ref="1", role="button", name="Go", box=(100, 50, 40, 20)),)


def test_a_click_reaches_its_element(desk):
    desk.show("<button onclick=\"document.title='pressed'\">Go</button>")
    assert 'page "pressed"' in desk.do("click", ref="1").observation.text


def test_a_double_click_is_one(desk):
    desk.show("<button ondblclick=\"this.textContent='twice'\">Go</button>")
    assert desk.do("dblclick", ref="1").observation.element("1").name == "twice"


def test_what_moves_away_under_the_mouse_is_followed(desk):
    desk.show(
        "<button onmouseenter=\"this.style.marginLeft='90px'\" style='width:60px' onclick=\"this.textContent='hit'\">Go</button>"
    )
    assert desk.do("click", ref="1").observation.element("1").name == "hit"


def test_text_is_typed_key_by_key_and_replaces_what_was_there(desk):
    desk.show("<input value=old aria-label=F onkeydown='n.textContent=+n.textContent+1'><p id=n>0</p>")
    seen = desk.do("fill", ref="1", text="new").observation
    assert seen.element("1").value == "new"
    assert "text: 3" in seen.text
    assert desk.do("fill", ref="1", text="").observation.element("1").value == ""


@pytest.mark.parametrize(("body", "text"), [
    ("<textarea aria-label=F></textarea>", "two\nlines"),
    ("<textarea aria-label=F></textarea>", "long " * 40 + "text"),
    ("<input type=date aria-label=F>", "2024-02-29"),
    ("<input type=range min=0 max=10 aria-label=F>", "7"),
    ("<input type=number aria-label=F>", "42"),
    ("<div contenteditable aria-label=F style='width:90px;height:20px'>x</div>", "typed"),
])  # fmt: skip
def test_every_kind_of_field_can_be_filled(desk, body, text):
    desk.show(body)
    outcome = desk.do("fill", ref="1", text=text)
    assert outcome.error is None
    assert outcome.observation.element("1").value.split() == text.split()


def test_an_option_is_chosen_by_what_it_says_and_the_page_hears_of_it(desk):
    desk.show(
        "<select aria-label=C onchange='p.textContent=this.value'><option>A<option value=b>Bee</select><p id=p></p>"
    )
    assert "text: b" in desk.do("select_option", ref="1", option="bee").observation.text


def test_several_options_of_a_list_can_be_chosen_and_taken_back(desk):
    desk.show("<select multiple aria-label=C><option>A<option>B<option>C</select>")
    desk.do("select_option", ref="1", option="A")
    assert desk.do("select_option", ref="1", option="C").observation.element("1").value == "A, C"
    assert desk.do("select_option", ref="1", option="A").observation.element("1").value == "C"


def test_keys_go_to_the_named_element_in_order(desk):
    desk.show("<input aria-label=F value=ab>")
    seen = desk.do("press", keys="End Backspace c", ref="1").observation
    assert seen.element("1").value == "ac"


def test_hovering_opens_what_hovering_opens_even_after_a_delay(desk):
    desk.show(
        "<div onclick='1' onmouseenter=\"setTimeout(()=>m.hidden=false,250)\">Menu</div><button id=m hidden>Item</button>"
    )
    assert 'button "Item"' in desk.do("hover", ref="1").observation.text


def test_one_element_is_dragged_onto_another(desk):
    desk.show(
        "<div id=a draggable=true ondragstart='1' style='width:50px;height:20px'>a</div><div onclick='1' ondragover='event.preventDefault()'"
        " ondrop=\"this.textContent='got it'\" style='width:90px;height:40px'>b</div>"
    )
    assert "got it" in desk.do("drag_and_drop", from_ref="1", to_ref="2").observation.text


def test_positions_are_clicked_and_dragged_between(desk):
    desk.show("<canvas id=c width=200 height=200></canvas><p id=p></p><script>"
              "for (const t of ['mousedown','mouseup']) c.addEventListener(t,e=>p.textContent+=t+e.pageX+','+e.pageY+' ')</script>")  # fmt: skip
    assert "mousedown30,40 mouseup30,40" in desk.do("mouse_click", x=30, y=40).observation.text
    seen = desk.do("mouse_drag_and_drop", from_x=20, from_y=30, to_x=120, to_y=130).observation
    assert "mousedown20,30 mouseup120,130" in seen.text


def test_waiting_lets_the_page_change(desk):
    desk.show("<p id=p>before</p><button onclick=\"setTimeout(()=>p.textContent='after',700)\">Go</button>")
    assert "before" in desk.do("click", ref="1").observation.text
    assert "after" in desk.do("wait", seconds=1).observation.text


def test_what_a_click_sets_off_is_seen_at_once(desk):
    desk.show("<p id=p>before</p><button onclick=\"setTimeout(()=>p.textContent='after',150)\">Go</button>")
    assert "after" in desk.do("click", ref="1").observation.text


def test_a_page_that_never_rests_is_read_all_the_same(desk):
    seen = desk.show("<p id=p></p><script>let n=0;setInterval(()=>p.textContent=++n,5)</script>")
    assert "text: " in seen.text


FAILURES = [
    pytest.param("", "fly", {}, "no verb 'fly'; the verbs are click,", id="no such verb"),
    pytest.param("<a href='#'>x</a>", "click", {}, r"click\(ref\) was called wrongly: ref: Field required", id="an argument is missing"),
    pytest.param("<a href='#'>x</a>", "click", {"ref": "1", "x": 2}, "x: Extra inputs are not permitted", id="an argument too many"),
    pytest.param("<a href='#'>x</a>", "click", {"ref": "7"}, r"there is no element \[7\]: the elements are 1", id="no such element"),
    pytest.param("<button disabled>Go</button>", "click", {"ref": "1"}, r'\[1\] button "Go" is disabled', id="disabled"),
    pytest.param("<button>Go</button><div style='position:fixed;inset:0;background:#fff'>Wait here</div>", "click", {"ref": "1"}, 'is covered by element "Wait here"', id="covered"),
    pytest.param("<button>Go</button>", "fill", {"ref": "1", "text": "x"}, r'\[1\] button "Go" is not a text field; there is none here', id="fill a button"),
    pytest.param("<span onclick=1>Name</span><input aria-label=N>", "fill", {"ref": "1", "text": "x"}, r'not a text field; there are \[2\] textbox "N"', id="fill says what would do"),
    pytest.param("<input readonly aria-label=F>", "fill", {"ref": "1", "text": "x"}, "is read-only", id="fill what is read-only"),
    pytest.param("<input aria-label=F value=a onkeydown='event.preventDefault()'>", "fill", {"ref": "1", "text": "x"}, "still holds 'a'", id="a field that takes no typing"),
    pytest.param("<input type=date aria-label=F>", "fill", {"ref": "1", "text": "tomorrow"}, 'does not take "tomorrow": it is of type date; write it as YYYY-MM-DD', id="not a date"),
    pytest.param("<select aria-label=C><option>A<option>B</select>", "fill", {"ref": "1", "text": "B"}, r"use select_option\(1, option\)", id="fill a list"),
    pytest.param("<select aria-label=C><option>A<option>B</select>", "click", {"ref": "1"}, r"use select_option\(1, option\)", id="click a list"),
    pytest.param("<select aria-label=C><option>A<option>B</select>", "select_option", {"ref": "1", "option": "Z"}, 'has no option "Z": the options are A, B', id="no such option"),
    pytest.param("<input type=radio aria-label=R>", "select_option", {"ref": "1", "option": "R"}, "is not a drop-down or list: click it instead", id="select a radio"),
    pytest.param("<p>x", "press", {"keys": "Foo"}, "there is no key 'Foo'", id="no such key"),
    pytest.param("<p>x", "scroll", {"direction": "down"}, "nothing here can be scrolled", id="nothing to scroll"),
    pytest.param("<p style='height:3000px'>x", "scroll", {"direction": "up"}, "already at the end", id="scrolled to the end"),
    pytest.param("<p>x", "mouse_click", {"x": 900, "y": 5}, "900,5 is outside of the view, which is 800 wide and 600 high", id="outside of the view"),
    pytest.param("<p>x", "goto", {"url": "javascript:alert(1)"}, "is not an address", id="not an address"),
    pytest.param("<p>x", "goto", {"url": "http://[1] link"}, "'http://.1. link' is not an address", id="an address that cannot be taken apart"),
    pytest.param("<p>x", "goto", {"url": "file:///etc/passwd"}, "files outside of the task's folder are blocked", id="a file elsewhere"),
    pytest.param("<p>x", "goto", {"url": "http://elsewhere.test/"}, "the host is not one of this task's: none", id="a host that is not allowed"),
    pytest.param("<p>x", "tab_focus", {"index": 3}, "there is no tab 3: the tabs are 0 to 0", id="no such tab"),
    pytest.param("<p>x", "go_back", {}, "there is no page before this one", id="nothing to go back to"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "verb", "arguments", "message"), FAILURES)
def test_a_failed_action_says_why_and_ends_nothing(desk, body, verb, arguments, message):
    before = desk.show(body)
    outcome = desk.environment.step(Action(verb=verb, arguments=arguments))
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(outcome.error)
    assert not outcome.terminated and not outcome.truncated
    assert outcome.observation.url == before.url


def test_an_element_that_went_away_is_gone_and_never_another_one(desk):
    desk.show("<button onclick=\"document.body.innerHTML='<button>Other</button>'\">Go</button>")
    desk.do("click", ref="1")
    assert desk.do("click", ref="1").error == "[1] is gone from the page"
