//! Charts as inline SVG: scales, axes and lines. Colours are names of the page's style sheet, so that one drawing does for
//! light and dark; what a mouse rests on says its value by `<title>`, without a script.

use std::fmt::Write;

/// The room of a chart, in the SVG's own units.
pub(super) const WIDTH: f64 = 960.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 40.0;

/// From a value to its place along one direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
    logarithmic: bool,
}

impl Scale {
    /// The place of a value; what lies outside is put at the edge.
    pub(super) fn at(&self, value: f64) -> f64 {
        let part = match self.logarithmic {
            true => (value.max(self.from) / self.from).ln() / (self.to / self.from).ln(),
            false => (value - self.from) / (self.to - self.from),
        };
        self.start + (self.end - self.start) * part.clamp(0.0, 1.0)
    }

    /// Over the width of a chart.
    pub(super) fn across(from: f64, to: f64) -> Scale {
        Scale {
            from,
            to: if to > from { to } else { from + 1.0 },
            start: LEFT,
            end: WIDTH - RIGHT,
            logarithmic: false,
        }
    }

    /// Upwards over a chart's height from 0; the top is a round number.
    pub(super) fn up(most: f64, height: f64) -> Scale {
        let step = round_step(most / 4.0);
        Scale {
            from: 0.0,
            to: (most / step).ceil().max(1.0) * step,
            start: height - BOTTOM,
            end: TOP,
            logarithmic: false,
        }
    }

    /// Upwards over a chart's height in powers of ten; both ends are round.
    pub(super) fn up_by_powers(least: f64, most: f64, height: f64) -> Scale {
        let power = |value: f64| value.max(1.0).log10();
        let (low, high) = (power(least), power(most));
        // Within less than two powers of ten the ends are at 1, 2 or 5.
        let narrow = high - low < 1.5;
        let (from, to) = match narrow {
            true => (step_below(least.max(1.0)), step_above(most.max(1.0))),
            false => (10_f64.powf(low.floor()), 10_f64.powf(high.ceil())),
        };
        Scale {
            from,
            to: if to > from { to } else { from * 10.0 },
            start: height - BOTTOM,
            end: TOP,
            logarithmic: true,
        }
    }

    /// Where lines and labels stand.
    pub(super) fn ticks(&self) -> Vec<f64> {
        if !self.logarithmic {
            let step = round_step((self.to - self.from) / 4.0);
            let first = (self.from / step).ceil() as i64;
            let last = (self.to / step + 1e-9).floor() as i64;
            return (first..=last).map(|place| place as f64 * step).collect();
        }
        let decades = (self.to / self.from).log10();
        let parts: &[f64] = if decades < 2.5 {
            &[1.0, 2.0, 5.0]
        } else {
            &[1.0]
        };
        let first = self.from.log10().floor() as i32;
        let last = self.to.log10().ceil() as i32;
        (first..=last)
            .flat_map(|power| parts.iter().map(move |part| part * 10_f64.powi(power)))
            .filter(|value| (self.from * 0.999..=self.to * 1.001).contains(value))
            .collect()
    }
}

/// 1, 2 or 5 times a power of ten, at least `step`.
fn round_step(step: f64) -> f64 {
    if step <= 0.0 {
        return 1.0;
    }
    step_above(step)
}

fn step_above(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let part = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|part| part * power >= value * 0.9999);
    part.unwrap_or(10.0) * power
}

fn step_below(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let part = [5.0, 2.0, 1.0]
        .into_iter()
        .find(|part| part * power <= value * 1.0001);
    part.unwrap_or(1.0) * power
}

/// An SVG that grows.
pub(super) struct Chart {
    svg: String,
    height: f64,
}

impl Chart {
    /// An empty one; the title is what a screen reader says.
    pub(super) fn new(height: f64, title: &str) -> Chart {
        let svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">\n",
            escaped(title)
        );
        Chart { svg, height }
    }

    /// Lines across with their labels at the left.
    pub(super) fn vertical_axis(&mut self, scale: &Scale, label: impl Fn(f64) -> String) {
        for tick in scale.ticks() {
            let y = scale.at(tick);
            self.add(&format!(
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 10.0,
                y + 4.0,
                escaped(&label(tick))
            ));
        }
    }

    /// Marks below with their labels, and the name of the axis in the middle.
    pub(super) fn horizontal_axis(&mut self, ticks: &[(f64, String)], name: &str) {
        let floor = self.height - BOTTOM;
        self.add(&format!(
            "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{floor}\" y2=\"{floor}\"/>",
            WIDTH - RIGHT
        ));
        for (x, label) in ticks {
            self.add(&format!(
                "<line class=\"axis\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{floor}\" y2=\"{:.1}\"/>\
                 <text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                floor + 4.0,
                floor + 17.0,
                escaped(label)
            ));
        }
        self.add(&format!(
            "<text class=\"name\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            f64::midpoint(LEFT, WIDTH - RIGHT),
            self.height - 5.0,
            escaped(name)
        ));
    }

    /// A line through points, in the colour of `class`.
    pub(super) fn line(&mut self, class: &str, points: &[(f64, f64)]) {
        let mut path = String::new();
        for (place, (x, y)) in points.iter().enumerate() {
            let command = if place == 0 { 'M' } else { 'L' };
            // Writing to a string cannot fail.
            let _ = write!(path, "{command}{x:.1} {y:.1}");
        }
        self.add(&format!("<path class=\"line {class}\" d=\"{path}\"/>"));
    }

    /// A point that says something when the mouse rests on it.
    pub(super) fn point(&mut self, class: &str, (x, y): (f64, f64), says: &str) {
        self.add(&format!(
            "<circle class=\"point {class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"><title>{}</title></circle>",
            escaped(says)
        ));
    }

    /// A rectangle from one corner to the other, as dense as `share` says, from 0 to 1.
    pub(super) fn cell(
        &mut self,
        (x1, y1): (f64, f64),
        (x2, y2): (f64, f64),
        share: f64,
        says: &str,
    ) {
        self.add(&format!(
            "<rect class=\"cell\" x=\"{x1:.2}\" y=\"{y1:.2}\" width=\"{:.2}\" height=\"{:.2}\" fill-opacity=\"{share:.3}\"><title>{}</title></rect>",
            x2 - x1,
            y2 - y1,
            escaped(says)
        ));
    }

    /// A stretch that does not count, with a word why.
    pub(super) fn shade(&mut self, from: f64, to: f64, word: &str) {
        self.add(&format!(
            "<rect class=\"shade\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"><title>{}</title></rect>",
            (to - from).max(0.0),
            self.height - BOTTOM - TOP,
            escaped(word)
        ));
    }

    /// A strip above a stretch in which something happened, never too thin to be seen.
    pub(super) fn strip(&mut self, from: f64, to: f64, says: &str) {
        self.add(&format!(
            "<rect class=\"strip\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"5\"><title>{}</title></rect>",
            TOP - 7.0,
            (to - from).max(3.0),
            escaped(says)
        ));
    }

    fn add(&mut self, element: &str) {
        self.svg += element;
        self.svg.push('\n');
    }

    /// The finished SVG.
    pub(super) fn finish(self) -> String {
        self.svg + "</svg>\n"
    }
}

/// Text that cannot be taken for markup.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn axes_end_at_round_numbers_and_have_some_marks() {
        let up = |most| Scale::up(most, 300.0).ticks();
        assert_eq!(up(1000.0), [0.0, 500.0, 1000.0]);
        assert_eq!(up(970.0).last(), Some(&1000.0));
        let powers = |least, most| Scale::up_by_powers(least, most, 300.0).ticks();
        assert_eq!(
            powers(120.0, 90_000.0),
            [100.0, 1000.0, 10_000.0, 100_000.0]
        );
        assert_eq!(powers(120.0, 180.0), [100.0, 200.0]);
        assert_eq!(powers(0.0, 0.0), [1.0, 2.0, 5.0, 10.0]);
    }

    #[test]
    fn text_is_never_markup() {
        assert_eq!(
            escaped("<b a=\"1\">&'\n"),
            "&lt;b a=&quot;1&quot;&gt;&amp;&#39; "
        );
    }

    proptest! {
        #[test]
        fn every_value_has_its_place_within_the_chart(least in 0.0..1e9_f64, more in 0.0..1e9_f64, value in -1e9..1e10_f64) {
            for scale in [Scale::up(least + more, 300.0), Scale::up_by_powers(least, least + more, 300.0)] {
                let y = scale.at(value);
                prop_assert!((TOP..=300.0 - BOTTOM).contains(&y), "{y}");
                let ticks = scale.ticks();
                prop_assert!((2..=14).contains(&ticks.len()), "{ticks:?}");
            }
        }
    }
}
