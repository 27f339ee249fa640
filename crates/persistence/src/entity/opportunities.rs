use fairlead_domain::catalogue::{PriceList, PriceListDetails, Product, ProductDetails};
use fairlead_domain::opportunity::{Opportunity, OpportunityDetails};
use fairlead_domain::pipeline::{Pipeline, PipelineDetails};

use crate::member::members;
use crate::stored::stored;

members!(ProductDetails { code, name, unit, description, tax_rate, is_active });
stored!(Product, "products" { id, details, version, created_at, updated_at } derived {
    "code_key" = |product| Some(product.code_key()),
});

members!(PriceListDetails { name, currency, valid_from, valid_until, customer_grades, prices });
stored!(PriceList, "price_lists" { id, details, version, created_at, updated_at });

members!(PipelineDetails { name, is_default, stages });
stored!(Pipeline, "pipelines" { id, details, version, created_at, updated_at });

members!(OpportunityDetails {
    name,
    customer_id,
    pipeline_id,
    primary_contact_id,
    amount,
    line_items,
    expected_close_on,
    source,
    grade,
    forecast_category,
    competitors,
    note,
});
stored!(Opportunity, "opportunities" {
    id, details, owner_id, status, stage_id, probability, stage_entered_at, pending_stage_id, returns_to_stage_id, loss_reason,
    lost_to, contract_id, closed_at, created_by, version, created_at, updated_at,
});
