use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::lead::Source;
use crate::pool::ContactField;
use crate::text_enum;
use crate::values::{
    Email, Line, Phone, Prose, Tags, WebAddress, company_key, mask_email, mask_phone, mask_text,
};

text_enum! {
    /// What a customer is.
    pub enum CustomerKind {
        /// A company or another organisation.
        Company = "company" ("Company", "企业"),
        /// A natural person.
        Person = "person" ("Person", "个人"),
    }
}

text_enum! {
    /// How important a customer is.
    pub enum Grade {
        /// Most important.
        A = "A" ("Grade A", "A级"),
        /// Important.
        B = "B" ("Grade B", "B级"),
        /// Ordinary.
        C = "C" ("Grade C", "C级"),
        /// Least important.
        D = "D" ("Grade D", "D级"),
    }
}

/// What an invoice needs to know about its receiver (开票信息).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "invoice_title": "宁波海川机械有限公司",
    "tax_number": "91330206MA2EXAMP0X",
    "bank": "中国工商银行宁波北仑支行",
    "account": "3901130009200012345",
    "address": "浙江省宁波市北仑区明州路 301 号",
    "phone": "+86 574 8826 4410"
}))]
pub struct TaxProfile {
    /// The title on the invoice.
    #[serde(default)]
    #[validate(nested)]
    pub invoice_title: Option<Line>,
    /// The taxpayer's number.
    #[serde(default)]
    #[validate(nested)]
    pub tax_number: Option<Line>,
    /// The bank.
    #[serde(default)]
    #[validate(nested)]
    pub bank: Option<Line>,
    /// The account.
    #[serde(default)]
    #[validate(nested)]
    pub account: Option<Line>,
    /// The registered address.
    #[serde(default)]
    #[validate(nested)]
    pub address: Option<Line>,
    /// The registered telephone number.
    #[serde(default)]
    #[validate(nested)]
    pub phone: Option<Phone>,
}

/// What one may say about a customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "kind": "company",
    "name": "宁波海川机械有限公司",
    "source": "referral",
    "grade": "B",
    "industry": "Machinery",
    "region": "East China",
    "address": "浙江省宁波市北仑区明州路 301 号",
    "scale": "200 to 500 employees",
    "phone": "+86 574 8826 4410",
    "email": "office@haichuan.example",
    "website": "https://www.haichuan.example",
    "tags": ["key account"],
    "tax_profiles": [{
        "invoice_title": "宁波海川机械有限公司",
        "tax_number": "91330206MA2EXAMP0X",
        "bank": "中国工商银行宁波北仑支行",
        "account": "3901130009200012345",
        "address": "浙江省宁波市北仑区明州路 301 号",
        "phone": "+86 574 8826 4410"
    }],
    "note": "Recommended by a customer of many years."
}))]
pub struct CustomerDetails {
    /// Company or person.
    pub kind: CustomerKind,
    /// Its name.
    #[validate(nested)]
    pub name: Line,
    /// Registration number; unique, whatever the case of its letters and the spaces in it.
    #[serde(default)]
    #[validate(nested)]
    pub registration_number: Option<Line>,
    /// Where it came from.
    #[serde(default)]
    pub source: Option<Source>,
    /// How important it is.
    #[serde(default)]
    pub grade: Option<Grade>,
    /// Industry.
    #[serde(default)]
    #[validate(nested)]
    pub industry: Option<Line>,
    /// Region.
    #[serde(default)]
    #[validate(nested)]
    pub region: Option<Line>,
    /// Address.
    #[serde(default)]
    #[validate(nested)]
    pub address: Option<Line>,
    /// Size, such as the number of employees.
    #[serde(default)]
    #[validate(nested)]
    pub scale: Option<Line>,
    /// Telephone number.
    #[serde(default)]
    #[validate(nested)]
    pub phone: Option<Phone>,
    /// E-mail address.
    #[serde(default)]
    #[validate(nested)]
    pub email: Option<Email>,
    /// Web site.
    #[serde(default)]
    #[validate(nested)]
    pub website: Option<WebAddress>,
    /// Labels.
    #[serde(default)]
    #[validate(nested)]
    pub tags: Tags,
    /// What an invoice needs to know.
    #[serde(default)]
    #[validate(length(max = 20), nested)]
    #[schema(max_items = 20)]
    pub tax_profiles: Vec<TaxProfile>,
    /// Anything else.
    #[serde(default)]
    #[validate(nested)]
    pub note: Option<Prose>,
}

impl CustomerDetails {
    /// The same with some of its contact data masked or left out.
    #[must_use]
    pub(crate) fn masked(mut self, masks: impl Fn(ContactField) -> bool) -> Self {
        if masks(ContactField::Phone) {
            self.phone = self.phone.as_ref().map(mask_phone);
        }
        if masks(ContactField::Email) {
            self.email = self.email.as_ref().map(mask_email);
        }
        if masks(ContactField::Address) {
            self.address = self.address.as_ref().map(|text| Line::new(mask_text(text.as_str())));
        }
        if masks(ContactField::Website) {
            self.website = None;
        }
        if masks(ContactField::RegistrationNumber) {
            self.registration_number = None;
        }
        if masks(ContactField::TaxProfiles) {
            self.tax_profiles.clear();
        }
        if masks(ContactField::Note) {
            self.note = None;
        }
        self
    }

    /// The name as it is compared.
    pub fn name_key(&self) -> String {
        company_key(self.name.as_str())
    }

    /// The registration number as it is compared.
    pub fn registration_key(&self) -> Option<String> {
        let number = self.registration_number.as_ref()?;
        Some(number.normalised())
    }
}
