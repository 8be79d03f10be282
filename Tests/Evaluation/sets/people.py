"""What the sets with people have in common: from a rendered clip back to what of the scene it shows."""

from markers import OUTPUT_WIDTH, Seen, watch
from scene import HEIGHT, RATE, WIDTH
from scores import Frame
from tools import frame_rate
from video import Made

# A window as high as the scene, in an output of 9:16 that is 1080 wide.
WIDEST_SCALE = OUTPUT_WIDTH / (HEIGHT * 9 / 16)
OUTPUT_HEIGHT = OUTPUT_WIDTH * 16 / 9
# Less than this shows nearly the whole width of the scene: such a picture has no camera.
WHOLE_SCALE_MAX = 1.08 * OUTPUT_WIDTH / WIDTH
# A window that stands alone is in the middle of the output, give or take this many pixels.
MIDDLE_PIXELS = 40
# How much of the height of a bar has to be there: less, and the face is cut off above or below.
HEIGHT_SHARE_MIN = 0.8


def facts_of(people: list) -> dict:
    """What has to be known of persons to find them again, for the truth of a video."""
    return {person.bars: {"gap": person.gap, "height": int(person.face_height // 2) * 2} for person in people}


def scale_of(seen: Seen, facts: dict) -> float | None:
    """Pixels of the output for one of the scene, by how far the bars are apart."""
    if seen.left is None or seen.right is None or seen.right.x <= seen.left.x:
        return None
    return (seen.right.x - seen.left.x) / (2 * facts["gap"])


def is_whole(seen: Seen, facts: dict) -> bool:
    scale = scale_of(seen, facts)
    if scale is None:
        return False
    return min(seen.left.height, seen.right.height) >= HEIGHT_SHARE_MIN * facts["height"] * scale


def window_of(seen: Seen, place: dict, scale: float) -> float | None:
    """Where the middle of the window stands, in pixels of the narrowest one's output; None where there is no camera.

    One unit for all windows: a layout that changes is no move, and how exactly the scale is known hardly matters,
    because it only counts for how far the person is from the middle. A window as high as the output, or wider with
    blurred edges above and below, is a camera. The whole scene is none, and of two windows one above the other
    neither is: in no place that a window of half the height can take would it pass for one that stands alone.
    """
    left = (seen.left.x + seen.right.x) / 2 - OUTPUT_WIDTH / 2
    down = (seen.left.y + seen.right.y) / 2 - OUTPUT_HEIGHT / 2
    is_alone = abs(down - (place["y"] - HEIGHT / 2) * scale) <= MIDDLE_PIXELS
    if scale <= WHOLE_SCALE_MAX or not (is_alone or scale > 0.9 * WIDEST_SCALE):
        return None
    return (place["x"] - left / scale) * WIDEST_SCALE


def frames_of(made: Made, clip: dict, subject) -> list[Frame]:
    """The pictures of a rendered clip; `subject(time)` is who tells where the window stands."""
    path, truth = made.file(clip, "mp4"), made.video.truth
    rate, frames = frame_rate(path), []
    for number, people in enumerate(watch(path)):
        time = clip["start"] + number / rate
        places = truth["places"][min(len(truth["places"]) - 1, int(time * RATE))]
        whole = frozenset(name for name, seen in people.items() if is_whole(seen, truth["people"][name]))
        window = scale = None
        name = subject(time)
        if name in people and name in places:
            scale = scale_of(people[name], truth["people"][name])
        if scale:
            window = window_of(people[name], places[name], scale)
        frames.append(Frame(time, whole, frozenset(people), window, scale))
    return frames


def frames_of_centre(truth: dict, subject) -> list[Frame]:
    """What a crop of the middle would show, by the truth alone."""
    half, frames = HEIGHT * 9 / 32, []
    for number, places in enumerate(truth["places"]):
        def edges(name):
            gap = truth["people"][name]["gap"]
            return places[name]["x"] - gap - WIDTH / 2, places[name]["x"] + gap - WIDTH / 2
        whole = frozenset(name for name in places if edges(name)[0] >= -half and edges(name)[1] <= half)
        partly = frozenset(name for name in places if edges(name)[1] > -half and edges(name)[0] < half)
        scale = WIDEST_SCALE if subject(number / RATE) in whole else None
        frames.append(Frame(number / RATE, whole, partly, 0.0, scale))
    return frames
