//! A cluster on disk: one file, one row for each object.

use std::io;
use std::path::Path;

use kro_apiserver::{GroupResource, Record};
use redb::{Database as File, ReadableDatabase, ReadableTable, TableDefinition};

use crate::Journal;

/// Group, resource, namespace and name, each ended by a zero byte, to the resource version and the object's JSON.
const OBJECTS: TableDefinition<'_, &[u8], (u64, &[u8])> = TableDefinition::new("objects");
/// `revision`: the newest resource version that was kept.
const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");
const REVISION: &str = "revision";
/// The layout of the tables.
const FORMAT: &str = "format";
const FORMAT_NOW: u64 = 1;
const FILE: &str = "cluster.redb";

/// The objects of a cluster in a folder. A write is there completely or not at all, whenever the process dies.
pub struct Database {
    file: File,
}

impl Database {
    /// Opens or makes the file in a folder, and reads what it holds: one record for each object, in the order of their
    /// resource versions.
    ///
    /// # Errors
    /// When the folder cannot be used, another process has it, or a newer kro wrote it.
    pub fn open(folder: &Path) -> io::Result<(Self, Vec<Record>)> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(FILE);
        let file = File::create(&path).map_err(io::Error::other)?;
        private(&path)?;
        let database = Self { file };
        database.check_format()?;
        let records = database.read().map_err(io::Error::other)?;
        Ok((database, records))
    }

    fn check_format(&self) -> io::Result<()> {
        let transaction = self.file.begin_write().map_err(io::Error::other)?;
        let known = {
            let mut numbers = transaction.open_table(NUMBERS).map_err(io::Error::other)?;
            transaction.open_table(OBJECTS).map_err(io::Error::other)?;
            let known = numbers.get(FORMAT).map_err(io::Error::other)?.map(|format| format.value());
            if known.is_none() {
                numbers.insert(FORMAT, FORMAT_NOW).map_err(io::Error::other)?;
            }
            known
        };
        transaction.commit().map_err(io::Error::other)?;
        match known {
            Some(format) if format != FORMAT_NOW => {
                Err(io::Error::other(format!("the data has format {format}, this kro knows {FORMAT_NOW}")))
            }
            _ => Ok(()),
        }
    }

    fn read(&self) -> Result<Vec<Record>, redb::Error> {
        let transaction = self.file.begin_read()?;
        let mut records = Vec::new();
        for row in transaction.open_table(OBJECTS)?.iter()? {
            let (key, value) = row?;
            let (revision, object) = value.value();
            records.extend(record(key.value(), revision, object));
        }
        records.sort_by_key(|record| record.revision);
        // The counter never goes back, even when the newest write was a removal.
        let newest = transaction.open_table(NUMBERS)?.get(REVISION)?.map_or(0, |revision| revision.value());
        if records.last().is_none_or(|record| record.revision < newest) && newest > 0 {
            let resource = GroupResource::new("", "");
            records.push(Record { revision: newest, resource, namespace: "".into(), name: "".into(), object: None });
        }
        Ok(records)
    }

    fn write(&self, records: &[Record]) -> Result<(), redb::Error> {
        let transaction = self.file.begin_write()?;
        {
            let mut objects = transaction.open_table(OBJECTS)?;
            for record in records {
                let key = key(record);
                match &record.object {
                    Some(object) => objects.insert(key.as_slice(), (record.revision, object.as_ref()))?,
                    None => objects.remove(key.as_slice())?,
                };
            }
            if let Some(newest) = records.last() {
                transaction.open_table(NUMBERS)?.insert(REVISION, newest.revision)?;
            }
        }
        transaction.commit()?;
        Ok(())
    }
}

impl Journal for Database {
    fn commit(&mut self, records: &[Record]) -> io::Result<()> {
        self.write(records).map_err(io::Error::other)
    }
}

/// Only its owner may read it: Secrets are in there.
fn private(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    }
    let _ = path;
    Ok(())
}

fn key(record: &Record) -> Vec<u8> {
    let parts = [&record.resource.group, &record.resource.resource, &record.namespace, &record.name];
    parts.iter().flat_map(|part| part.bytes().chain([0])).collect()
}

fn record(key: &[u8], revision: u64, object: &[u8]) -> Option<Record> {
    let mut parts = key.split(|byte| *byte == 0).map(|part| std::str::from_utf8(part).ok());
    let mut part = || parts.next().flatten();
    let (group, resource, namespace, name) = (part()?, part()?, part()?, part()?);
    Some(Record {
        revision,
        resource: GroupResource::new(group, resource),
        namespace: namespace.into(),
        name: name.into(),
        object: Some(object.to_vec().into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(name: &str, revision: u64, object: Option<&'static str>) -> Record {
        let resource = GroupResource::new("apps", "things");
        let object = object.map(|text| text.as_bytes().into());
        Record { revision, resource, namespace: "n".into(), name: name.into(), object }
    }

    #[test]
    fn what_was_committed_is_read_again() {
        let folder = std::env::temp_dir().join(format!("kro-database-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        {
            let (mut database, records) = Database::open(&folder).unwrap();
            assert!(records.is_empty());
            assert!(Database::open(&folder).is_err(), "one process at a time");
            database.commit(&[write("a", 1, Some("{}")), write("b", 2, Some("[]"))]).unwrap();
            database.commit(&[write("a", 3, Some("{1}")), write("b", 4, None)]).unwrap();
        }
        let (_, records) = Database::open(&folder).unwrap();
        assert_eq!(records.len(), 2);
        assert_eq!(records[0], write("a", 3, Some("{1}")));
        assert_eq!((records[1].revision, &records[1].object), (4, &None));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
