//! A plan as a TOML file.

use super::Plan;

impl Plan {
    /// The plan as TOML. [`Plan::from_toml`] makes the same plan of it.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a plan is made of tables, texts and numbers")
    }

    /// Reads a plan; whether it can be carried out is not asked yet.
    ///
    /// # Errors
    /// What is wrong, with its line: `line 3: unknown field ...`.
    pub fn from_toml(text: &str) -> Result<Plan, String> {
        let plan: Result<Plan, toml::de::Error> = toml::from_str(text);
        let mut plan = plan.map_err(|error| {
            let words = error.message().trim_end().replace('\n', " ");
            match error.span() {
                Some(span) => {
                    let line = text[..span.start.min(text.len())].matches('\n').count() + 1;
                    format!("line {line}: {words}")
                }
                None => words,
            }
        })?;
        // What is not said is said where the plan is shown.
        for group in plan
            .publish
            .iter_mut()
            .filter(|group| group.payload.is_none())
        {
            group.size.get_or_insert_default();
        }
        Ok(plan)
    }
}
