//! Passwords: argon2id, a few at a time so that logins cannot starve everything else.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, PasswordHash, Version};
use fairlead_domain::error::Rule;
use fairlead_persistence::StoreError;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use crate::call::Failure;
use crate::throttle::too_many_wait;

/// A password as somebody typed it: 10 to 200 characters.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = Password, min_length = 10, max_length = 200, example = "correct horse battery")]
pub struct Password(SecretString);

impl Password {
    /// Takes a password as it is; it is trusted once validated.
    pub fn new(text: SecretString) -> Self {
        Self(text)
    }

    pub(crate) fn secret(&self) -> &SecretString {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

impl Validate for Password {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let length = self.0.expose_secret().chars().count();
        if (10..=200).contains(&length) {
            return Ok(());
        }
        let mut errors = ValidationErrors::new();
        let mut error = Rule::Length.error("must have between 10 and 200 characters");
        error.add_param("min".into(), &10);
        error.add_param("max".into(), &200);
        errors.add("", error);
        Err(errors)
    }
}

/// Hashes and checks passwords.
#[derive(Debug)]
pub(crate) struct Passwords {
    argon2: Argon2<'static>,
    room: Arc<Semaphore>,
    /// How long somebody waits for room.
    patience: Duration,
    /// What an unknown user's password is checked against, so that the answer takes as long.
    dummy: String,
}

impl Passwords {
    pub(crate) fn new(memory_kib: u32, threads: usize, patience: Duration) -> Result<Self, String> {
        let params = Params::new(memory_kib, 1, 1, None).map_err(|error| error.to_string())?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let dummy = hash_with(&argon2, "nobody has this password")?;
        Ok(Self { argon2, room: Arc::new(Semaphore::new(threads.max(1))), patience, dummy })
    }

    /// Works once there is room, or says in time that there is none.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let closed = |error: &dyn fmt::Display| StoreError::Unavailable(error.to_string());
        let place = tokio::time::timeout(self.patience, Arc::clone(&self.room).acquire_owned()).await;
        let place = place.map_err(|_| too_many_wait())?.map_err(|error| closed(&error))?;
        let argon2 = self.argon2.clone();
        let done = tokio::task::spawn_blocking(move || {
            // Whoever went away meanwhile still takes the room until it is done.
            let _place = place;
            work(&argon2)
        });
        Ok(done.await.map_err(|error| closed(&error))?)
    }

    pub(crate) async fn hash(&self, password: &SecretString) -> Result<String, Failure> {
        let password = password.clone();
        let hash = self.work(move |argon2| hash_with(argon2, password.expose_secret())).await?;
        Ok(hash.map_err(StoreError::Corrupt)?)
    }

    /// Whether the password has this hash. Without a hash the answer is no, and takes as long.
    pub(crate) async fn verify(
        &self,
        password: &SecretString,
        hash: Option<String>,
    ) -> Result<bool, Failure> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.dummy.clone());
        let password = password.clone();
        let fits = self.work(move |argon2| {
            PasswordHash::new(&hash)
                .is_ok_and(|hash| argon2.verify_password(password.expose_secret().as_bytes(), &hash).is_ok())
        });
        Ok(fits.await? && known)
    }
}

fn hash_with(argon2: &Argon2, password: &str) -> Result<String, String> {
    argon2.hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use fairlead_domain::error::Code;

    use super::*;

    fn one_at_a_time() -> Passwords {
        Passwords::new(64, 1, Duration::from_millis(50)).unwrap()
    }

    #[tokio::test]
    async fn whoever_waits_too_long_is_told_to_come_back() {
        let passwords = one_at_a_time();
        let password = SecretString::from("a-password-for-tests");
        let place = Arc::clone(&passwords.room).acquire_owned().await.unwrap();
        for hash in [None, Some(passwords.dummy.clone())] {
            let Err(Failure::Refused(refusal)) = passwords.verify(&password, hash).await else {
                panic!("there was room");
            };
            assert_eq!((refusal.code, &refusal.figures["retry_after"]), (Code::Unavailable, &1.into()));
        }
        drop(place);
        let hash = passwords.hash(&password).await.unwrap();
        assert!(passwords.verify(&password, Some(hash)).await.unwrap());
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_takes_its_room_until_it_is_done() {
        let passwords = one_at_a_time();
        let long = passwords.work(|_| std::thread::sleep(Duration::from_millis(300)));
        assert!(tokio::time::timeout(Duration::from_millis(20), long).await.is_err());
        assert_eq!(passwords.room.available_permits(), 0);
        let place = tokio::time::timeout(Duration::from_secs(10), passwords.room.acquire()).await;
        assert!(place.unwrap().is_ok());
    }
}
