//! Times of a class, and whether those of two differ.

/// Above this Welch's t says for sure that two means differ.
const SURE: f64 = 10.0;

/// How long refusals of one kind took, in microseconds.
pub(crate) struct Class {
    pub(crate) name: &'static str,
    pub(crate) micros: Vec<f64>,
}

/// Two classes, and how sure it is that they differ.
pub(crate) struct Compared {
    names: (&'static str, &'static str),
    samples: usize,
    medians: (f64, f64),
    /// Of all samples.
    all: f64,
    /// Of those below the ninth decile of both together: what a busy machine adds is above.
    faster: f64,
}

impl Class {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, micros: Vec::new() }
    }

    pub(crate) fn against(&self, other: &Self) -> Compared {
        let mut both = [self.micros.as_slice(), &other.micros].concat();
        both.sort_by(f64::total_cmp);
        let bound = both.get(both.len() * 9 / 10).copied().unwrap_or(f64::MAX);
        let below = |class: &Self| class.micros.iter().copied().filter(|micros| *micros < bound).collect::<Vec<_>>();
        Compared {
            names: (self.name, other.name),
            samples: self.micros.len().min(other.micros.len()),
            medians: (median(&self.micros), median(&other.micros)),
            all: welch(&self.micros, &other.micros),
            faster: welch(&below(self), &below(other)),
        }
    }
}

impl Compared {
    pub(crate) fn is_sure(&self) -> bool {
        self.all.abs() > SURE || self.faster.abs() > SURE
    }

    pub(crate) fn row(&self, what: &str) -> String {
        let Self { names: (one, other), samples, medians, all, faster } = self;
        format!(
            "| {what}: {one} against {other} | {samples} | {:.1} µs | {:.1} µs | {all:.1} | {faster:.1} |",
            medians.0, medians.1
        )
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Welch's t: the difference of the means in units of its own standard error.
fn welch(one: &[f64], other: &[f64]) -> f64 {
    let moments = |values: &[f64]| {
        let count = values.iter().map(|_| 1.0).sum::<f64>();
        let mean = values.iter().sum::<f64>() / count;
        let spread = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, spread / count)
    };
    let ((one, of_one), (other, of_other)) = (moments(one), moments(other));
    (one - other) / (of_one + of_other).sqrt()
}
