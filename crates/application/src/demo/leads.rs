//! The demo's leads.

use fairlead_domain::lead::{DisqualifyReason, Source};

use super::act::LeadAct::{Assign, Claim, Convert, Disqualify, Log, Qualify, Record, Release, Reopen};
use super::act::{Acts, LeadAct, call, email, meeting, message, task};
use super::customers::{EAST, NORTH, OVERSEAS, SOUTH, WEST};

/// A lead and what happened to it.
pub(super) struct LeadRow {
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    pub(super) company: &'static str,
    pub(super) title: &'static str,
    pub(super) source: Source,
    pub(super) campaign: &'static str,
    pub(super) region: &'static str,
    pub(super) industry: &'static str,
    pub(super) interest: &'static str,
    /// In yuan; nothing when unknown.
    pub(super) budget: i64,
    /// In how many days they want to buy.
    pub(super) buys: i64,
    /// Who recorded it: marketing for the lead pool, a seller for themselves.
    pub(super) by: &'static str,
    pub(super) acts: Acts<LeadAct>,
}

const FAIR: &str = "Shanghai Industry Fair 上海工博会";
const WEBINAR: &str = "Webinar: small lots, big savings 小批量自动化研讨会";

const LEAD: LeadRow = LeadRow {
    key: "",
    name: "",
    company: "",
    title: "",
    source: Source::Website,
    campaign: "",
    region: EAST,
    industry: "Machinery 机械",
    interest: "",
    budget: 0,
    buys: 60,
    by: "marketing",
    acts: &[],
};

pub(super) const LEADS: &[LeadRow] = &[
    // In the pool, nobody has been in touch.
    LeadRow {
        key: "tian",
        name: "田园 Tian Yuan",
        company: "沈阳重泵机械 Shenyang Heavy Pump",
        title: "工艺工程师",
        region: NORTH,
        interest: "Loading robot for two lathes 两台车床上下料机器人",
        budget: 350_000,
        acts: &[(0, Record)],
        ..LEAD
    },
    LeadRow {
        key: "garcia",
        name: "Elena García",
        company: "Talleres del Mar SL",
        title: "Buyer",
        source: Source::Event,
        campaign: FAIR,
        region: OVERSEAS,
        interest: "Spindle monitoring",
        acts: &[(1, Record)],
        ..LEAD
    },
    LeadRow {
        key: "peng",
        name: "彭涛 Peng Tao",
        company: "长沙湘味食品 Changsha Xiangwei Foods",
        source: Source::Advertisement,
        region: SOUTH,
        industry: "Food and beverage 食品饮料",
        interest: "Sauce filling line 酱料灌装线",
        budget: 600_000,
        acts: &[(2, Record)],
        ..LEAD
    },
    LeadRow {
        key: "bai",
        name: "白洁 Bai Jie",
        source: Source::SocialMedia,
        region: WEST,
        interest: "Price list 索要价目表",
        acts: &[(3, Record)],
        ..LEAD
    },
    LeadRow {
        key: "qiao",
        name: "乔安 Qiao An",
        company: "青岛海纳橡胶 Qingdao Haina Rubber",
        title: "设备经理",
        campaign: WEBINAR,
        region: NORTH,
        interest: "Dosing and weighing 配料称重",
        budget: 280_000,
        acts: &[(5, Record)],
        ..LEAD
    },
    LeadRow {
        key: "okafor",
        name: "Chidi Okafor",
        company: "Lagos Bottling Partners",
        source: Source::Partner,
        region: OVERSEAS,
        industry: "Food and beverage 食品饮料",
        interest: "Used palletizer",
        acts: &[(12, Record), (11, Assign("marketing", "rep.east3")), (10, Release)],
        ..LEAD
    },
    // With an owner who still has time to respond.
    LeadRow {
        key: "shi",
        name: "石磊 Shi Lei",
        company: "马鞍山钢球 Maanshan Steel Balls",
        title: "车间主任",
        interest: "Optical sorting 光学分选",
        budget: 420_000,
        acts: &[(2, Record), (0, Assign("manager.east", "rep.east"))],
        ..LEAD
    },
    LeadRow {
        key: "ng",
        name: "Ng Mei Fong 吴美芳",
        company: "Kwun Tong Electronics",
        source: Source::Event,
        campaign: FAIR,
        region: SOUTH,
        industry: "Electronics 电子",
        interest: "Soldering cell",
        budget: 500_000,
        acts: &[(1, Record), (0, Assign("manager.south", "rep.south2"))],
        ..LEAD
    },
    LeadRow {
        key: "dai",
        name: "戴军 Dai Jun",
        company: "扬州江淮冷链 Yangzhou Jianghuai Cold Chain",
        source: Source::Referral,
        industry: "Logistics 物流",
        interest: "Shuttle for a cold store 冷库穿梭车",
        budget: 900_000,
        by: "rep.east2",
        acts: &[(0, Record)],
        ..LEAD
    },
    LeadRow {
        key: "yip",
        name: "Yip Ka Yan 叶嘉欣",
        company: "Lantau Catering Group",
        region: SOUTH,
        industry: "Food and beverage 食品饮料",
        interest: "Lunch box packing",
        acts: &[(1, Record), (0, Claim("rep.south"))],
        ..LEAD
    },
    // With an owner who has let the deadline pass.
    LeadRow {
        key: "jiang",
        name: "姜维 Jiang Wei",
        company: "泰州康泽医械 Taizhou Kangze Medical",
        title: "生产总监",
        campaign: WEBINAR,
        industry: "Pharma 制药",
        interest: "Assembly of inhalers 吸入器装配",
        budget: 1_200_000,
        acts: &[(5, Record), (4, Assign("marketing", "rep.east3"))],
        ..LEAD
    },
    LeadRow {
        key: "smith",
        name: "Laura Smith",
        company: "Tasman Timber Pty",
        source: Source::Event,
        campaign: FAIR,
        region: OVERSEAS,
        interest: "Board stacking",
        acts: &[(9, Record), (8, Claim("rep.east2"))],
        ..LEAD
    },
    LeadRow {
        key: "liao",
        name: "廖勇 Liao Yong",
        company: "汕头金童塑胶 Shantou Jintong Plastics",
        source: Source::ColdCall,
        region: SOUTH,
        industry: "Toys 玩具",
        interest: "Take-out robots 注塑取件机械手",
        budget: 240_000,
        by: "rep.south2",
        acts: &[(6, Record)],
        ..LEAD
    },
    // Somebody has been in touch.
    LeadRow {
        key: "cui",
        name: "崔岩 Cui Yan",
        company: "盐城沿海风电 Yancheng Coastal Wind",
        title: "技术经理",
        source: Source::Event,
        campaign: FAIR,
        industry: "Energy 能源",
        interest: "Blade sanding 叶片打磨",
        budget: 2_000_000,
        buys: 120,
        acts: &[
            (20, Record),
            (19, Assign("marketing", "rep.east")),
            (18, Log(call("Sanding takes two shifts 打磨需两班人工").then("Send a video", 2))),
            (12, Log(email("Sent the video of a test cell 发送样机视频"))),
        ],
        ..LEAD
    },
    LeadRow {
        key: "muller",
        name: "Anja Müller",
        company: "Nordsee Filter KG",
        region: OVERSEAS,
        interest: "Pleating machine controls",
        acts: &[(16, Record), (15, Claim("rep.east3")), (15, Log(email("Asked for drawings")))],
        ..LEAD
    },
    LeadRow {
        key: "fan",
        name: "范冰 Fan Bing",
        company: "湖州竹韵家居 Huzhou Zhuyun Furniture",
        source: Source::SocialMedia,
        industry: "Furniture 家具",
        interest: "Drilling line 排钻线",
        budget: 380_000,
        by: "rep.east2",
        acts: &[
            (14, Record),
            (14, Log(message("WeChat: wants to visit us 想来参观"))),
            (7, Log(task("Book the visit 安排来访", 8))),
        ],
        ..LEAD
    },
    LeadRow {
        key: "ho",
        name: "Ho Siu Man 何小敏",
        company: "Tai Po Dairy",
        source: Source::Referral,
        region: SOUTH,
        industry: "Food and beverage 食品饮料",
        interest: "Crate washing",
        acts: &[
            (11, Record),
            (10, Assign("manager.south", "rep.south")),
            (10, Log(call("Crates of four kinds 四种周转箱"))),
        ],
        ..LEAD
    },
    LeadRow {
        key: "su",
        name: "苏航 Su Hang",
        company: "泉州石韵石材 Quanzhou Shiyun Stone",
        source: Source::Advertisement,
        region: SOUTH,
        industry: "Stone 石材",
        interest: "Slab handling 板材搬运",
        budget: 460_000,
        acts: &[
            (9, Record),
            (8, Claim("rep.south2")),
            (7, Log(call("Slabs up to 300 kg 板材最重 300 公斤").then("Visit the yard", 9))),
        ],
        ..LEAD
    },
    LeadRow {
        key: "ren",
        name: "任静 Ren Jing",
        company: "镇江赤山醋业 Zhenjiang Chishan Vinegar",
        industry: "Food and beverage 食品饮料",
        interest: "Labelling 贴标",
        budget: 150_000,
        acts: &[
            (25, Record),
            (24, Assign("manager.east", "rep.east2")),
            (22, Log(meeting("Saw the bottling hall 参观灌装车间"))),
        ],
        ..LEAD
    },
    // Worth an opportunity.
    LeadRow {
        key: "lei",
        name: "雷鸣 Lei Ming",
        company: "滁州皖东电机 Chuzhou Wandong Motors",
        title: "总经理",
        campaign: WEBINAR,
        interest: "Winding line 绕线产线",
        budget: 1_500_000,
        buys: 90,
        acts: &[
            (30, Record),
            (29, Assign("marketing", "rep.east")),
            (28, Log(call("Serious, has a budget 预算明确"))),
            (17, Log(meeting("Visited the plant 拜访工厂").then("Concept", 14))),
            (16, Qualify),
        ],
        ..LEAD
    },
    LeadRow {
        key: "dubois",
        name: "Marc Dubois",
        company: "Atelier Dubois SAS",
        source: Source::Partner,
        region: OVERSEAS,
        interest: "Polishing cell",
        acts: &[
            (22, Record),
            (21, Assign("marketing", "rep.east3")),
            (20, Log(call("Sends samples"))),
            (6, Qualify),
        ],
        ..LEAD
    },
    LeadRow {
        key: "mo",
        name: "莫文 Mo Wen",
        company: "柳州桂中铸造 Liuzhou Guizhong Foundry",
        source: Source::Event,
        region: SOUTH,
        interest: "Casting fettling 铸件打磨",
        budget: 800_000,
        buys: 75,
        acts: &[
            (26, Record),
            (25, Claim("rep.south2")),
            (24, Log(call("Two shifts, high turnover 两班倒招工难"))),
            (9, Qualify),
        ],
        ..LEAD
    },
    // Became customers.
    LeadRow {
        key: "anqing-paper",
        name: "程思远 Cheng Siyuan",
        company: "安庆皖江纸业 Anqing Wanjiang Paper",
        title: "设备副总",
        source: Source::Event,
        campaign: FAIR,
        industry: "Paper 造纸",
        interest: "Roll handling 纸卷搬运",
        budget: 1_100_000,
        buys: 45,
        acts: &[
            (55, Record),
            (54, Assign("marketing", "rep.east")),
            (53, Log(call("Rolls of two tons 纸卷重两吨"))),
            (47, Log(meeting("Plant visit 现场勘测"))),
            (46, Qualify),
            (44, Convert(Some(("rolls", "Roll handling 纸卷搬运系统")))),
        ],
        ..LEAD
    },
    LeadRow {
        key: "lianyungang-silica",
        name: "晏殊 Yan Shu",
        company: "连云港晶源硅材料 Lianyungang Jingyuan Silica",
        source: Source::Referral,
        industry: "Materials 材料",
        interest: "Crucible inspection 坩埚检测",
        budget: 520_000,
        buys: 70,
        acts: &[
            (43, Record),
            (42, Claim("rep.east2")),
            (41, Log(call("Inspection by eye today 目前靠人眼检测"))),
            (36, Qualify),
            (34, Convert(Some(("crucibles", "Crucible inspection 坩埚视觉检测")))),
        ],
        ..LEAD
    },
    LeadRow {
        key: "jiangmen-bikes",
        name: "司徒文 Szeto Man",
        company: "江门侨乡自行车 Jiangmen Qiaoxiang Bicycles",
        region: SOUTH,
        industry: "Bicycles 自行车",
        interest: "Wheel truing 车轮校圆",
        budget: 310_000,
        buys: 50,
        acts: &[
            (39, Record),
            (38, Assign("manager.south", "rep.south")),
            (37, Log(email("Sent the questionnaire 发送需求表"))),
            (27, Qualify),
            (24, Convert(Some(("wheels", "Wheel truing stations 车轮校圆工位")))),
        ],
        ..LEAD
    },
    LeadRow {
        key: "putian-shoes",
        name: "林若水 Lin Ruoshui",
        company: "莆田步云鞋业 Putian Buyun Footwear",
        source: Source::ColdCall,
        region: SOUTH,
        industry: "Footwear 鞋业",
        interest: "Sole gluing 鞋底涂胶",
        by: "rep.south2",
        acts: &[(33, Record), (33, Log(call("First call 首次通话"))), (21, Qualify), (17, Convert(None))],
        ..LEAD
    },
    // Given up.
    LeadRow {
        key: "spam",
        name: "Best SEO Services",
        interest: "Rank first in every search",
        acts: &[(13, Record), (13, Disqualify(DisqualifyReason::Spam))],
        ..LEAD
    },
    LeadRow {
        key: "hao",
        name: "郝建 Hao Jian",
        company: "邯郸赵都钢构 Handan Zhaodu Steel",
        source: Source::ColdCall,
        region: NORTH,
        interest: "Welding cell 焊接工作站",
        by: "rep.east",
        acts: &[
            (31, Record),
            (30, Log(call("No money before next year 今年无资金"))),
            (29, Disqualify(DisqualifyReason::NoBudget)),
        ],
        ..LEAD
    },
    LeadRow {
        key: "tan",
        name: "Tan Wei Jie",
        company: "Johor Gloves Sdn",
        source: Source::Event,
        campaign: FAIR,
        region: OVERSEAS,
        interest: "Glove stripping",
        acts: &[
            (28, Record),
            (27, Assign("marketing", "rep.south")),
            (26, Log(call("Decided for a local integrator"))),
            (25, Disqualify(DisqualifyReason::LostToCompetitor)),
        ],
        ..LEAD
    },
    LeadRow {
        key: "luo",
        name: "骆驰 Luo Chi",
        company: "银川朔方乳业 Yinchuan Shuofang Dairy",
        region: WEST,
        industry: "Food and beverage 食品饮料",
        interest: "Cheese portioning 奶酪分切",
        acts: &[
            (18, Record),
            (17, Assign("marketing", "rep.east2")),
            (10, Disqualify(DisqualifyReason::Unreachable)),
        ],
        ..LEAD
    },
    // Given up and taken up again.
    LeadRow {
        key: "an",
        name: "安然 An Ran",
        company: "鄂尔多斯暖山羊绒 Ordos Nuanshan Cashmere",
        source: Source::Referral,
        region: NORTH,
        industry: "Textiles 纺织",
        interest: "Bale handling 羊绒包搬运",
        budget: 330_000,
        acts: &[
            (24, Record),
            (23, Assign("marketing", "rep.east3")),
            (22, Log(call("Not this year 今年不考虑"))),
            (21, Disqualify(DisqualifyReason::NoNeed)),
            (3, Reopen),
        ],
        ..LEAD
    },
];
