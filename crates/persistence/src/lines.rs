//! What is written as it is, without an event: lines of histories, and what is on its way.

use sea_orm::Value;

use crate::error::StoreError;
use crate::stored::Kept;
use crate::work::Work;

/// How many rows one statement writes: databases limit the number of bound values.
const BATCH: usize = 100;

impl Work {
    /// Writes a line of a history: it is no record of its own.
    pub async fn append<T: Kept>(&self, line: &T) -> Result<(), StoreError> {
        self.append_all(std::slice::from_ref(line)).await
    }

    /// Writes many, as few statements as may be.
    pub async fn append_all<T: Kept>(&self, lines: &[T]) -> Result<(), StoreError> {
        let values = |line: &T| {
            let mut values = Vec::with_capacity(T::table().columns.len());
            line.put(&mut values);
            values
        };
        let rows: Vec<Vec<Value>> = lines.iter().map(values).collect();
        self.insert_rows(&T::table().into, &rows).await
    }

    /// Writes rows; `into` is the statement up to where they follow.
    pub(crate) async fn insert_rows(&self, into: &str, rows: &[Vec<Value>]) -> Result<(), StoreError> {
        for batch in rows.chunks(BATCH) {
            let mut text = into.to_owned();
            let mut place = 0;
            for (at, row) in batch.iter().enumerate() {
                text.push_str(if at == 0 { "(" } else { ", (" });
                for column in 0..row.len() {
                    place += 1;
                    text.push_str(if column == 0 { "$" } else { ", $" });
                    text.push_str(&place.to_string());
                }
                text.push(')');
            }
            self.execute(&text, batch.concat()).await?;
        }
        Ok(())
    }
}
