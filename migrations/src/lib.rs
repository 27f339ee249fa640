//! Fairlead migrations.
