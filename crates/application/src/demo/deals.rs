//! The demo's sales, from the opportunity to the last payment.

use fairlead_domain::contract::CollectionScheme::{ByContract, ByInvoice};
use fairlead_domain::opportunity::{LossReason, OpportunityGrade};
use fairlead_domain::payment::PaymentMethod::{AcceptanceBill, BankTransfer, Cheque};
use fairlead_domain::values::Currency;

use super::act::Approver::{Finance, Manager};
use super::act::DealAct::{
    Agrees, Ask, Back, Bill, Cancel, CancelInvoice, Draft, FinanceReceives, Invoice, InvoiceAgrees,
    InvoiceRefuses, Log, LogContract, Lose, Open, Paid, Receive, Refuses, RejectPayment, Reopen, Reverse,
    Sign, Stage, Submit, Terminate, Void, Withdraw, Write,
};
use super::act::{Acts, DealAct, Terms, call, email, meeting, task};

/// A sale and what happened to it. Amounts are in whole units of the currency.
pub(super) struct Deal {
    pub(super) key: &'static str,
    /// The customer, or the lead that became it.
    pub(super) customer: &'static str,
    pub(super) name: &'static str,
    /// Nothing while unknown.
    pub(super) amount: i64,
    pub(super) currency: Currency,
    pub(super) grade: OpportunityGrade,
    /// In how many days from today it should be won.
    pub(super) closes: i64,
    pub(super) competitors: &'static [&'static str],
    pub(super) acts: Acts<DealAct>,
}

const DEAL: Deal = Deal {
    key: "",
    customer: "",
    name: "",
    amount: 0,
    currency: Currency::CNY,
    grade: OpportunityGrade::B,
    closes: 30,
    competitors: &[],
    acts: &[],
};

const NEEDS: &str = "Needs analysis";
const PROPOSAL: &str = "Proposal";
const NEGOTIATION: &str = "Negotiation";
pub(super) const SIGNING: &str = "Signing";

pub(super) const DEALS: &[Deal] = &[
    // Completed.
    Deal {
        key: "press-line",
        customer: "ningbo-stamping",
        name: "Servo press line 伺服冲压线",
        amount: 860_000,
        grade: OpportunityGrade::A,
        closes: -151,
        competitors: &["Delta Motion Systems"],
        acts: &[
            (182, Open),
            (175, Stage(NEEDS)),
            (168, Stage(PROPOSAL)),
            (167, Log(meeting("Presented the layout 方案汇报"))),
            (160, Stage(NEGOTIATION)),
            (155, Stage(SIGNING)),
            (
                153,
                Sign(&Terms {
                    title: "Servo press line, delivery and start-up 伺服冲压线供货合同",
                    scheme: ByInvoice,
                    items: &[
                        ("Servo press 伺服压力机", 2, 310_000),
                        ("Transfer system 送料系统", 1, 240_000),
                    ],
                    plan: &[
                        (-146, 258_000, "Advance 预付款"),
                        (-90, 516_000, "Delivery 到货款"),
                        (-30, 86_000, "Acceptance 验收款"),
                    ],
                    signer: "王立新",
                    days: 365,
                }),
            ),
            (150, Bill(1, 258_000)),
            (144, Paid(1, 258_000, BankTransfer)),
            (100, Bill(2, 516_000)),
            (88, Paid(2, 516_000, BankTransfer)),
            (
                41,
                LogContract(meeting("Acceptance test passed 终验收通过").saying(
                    "Eighteen strokes a minute over eight hours, no fault. 连续八小时十八次每分钟无故障。",
                )),
            ),
            (40, Bill(3, 86_000)),
            (29, Paid(3, 86_000, BankTransfer)),
        ],
        ..DEAL
    },
    Deal {
        key: "palletizer",
        customer: "foshan-ceramics",
        name: "Tile palletizer 瓷砖码垛机",
        amount: 320_000,
        closes: -144,
        acts: &[
            (180, Open),
            (172, Stage(NEEDS)),
            (163, Stage(PROPOSAL)),
            (152, Stage(NEGOTIATION)),
            (146, Stage(SIGNING)),
            (
                144,
                Sign(&Terms {
                    title: "Tile palletizer 瓷砖码垛机买卖合同",
                    scheme: ByContract,
                    items: &[("Palletizer 码垛机", 1, 320_000)],
                    plan: &[(-135, 160_000, "Order 订货款"), (-75, 160_000, "Delivery 到货款")],
                    signer: "梁志强",
                    days: 180,
                }),
            ),
            (134, Paid(1, 160_000, BankTransfer)),
            (74, Paid(2, 160_000, Cheque)),
            (69, Bill(1, 320_000)),
        ],
        ..DEAL
    },
    // Running, collected by invoice.
    Deal {
        key: "conveyor",
        customer: "suzhou-logistics",
        name: "Sorting conveyor, phase 1 分拣输送线一期",
        amount: 1_280_000,
        grade: OpportunityGrade::A,
        closes: -110,
        competitors: &["Linyi Conveyors 临沂输送", "Delta Motion Systems"],
        acts: &[
            (160, Open),
            (150, Stage(NEEDS)),
            (140, Stage(PROPOSAL)),
            (125, Stage(NEGOTIATION)),
            (112, Stage(SIGNING)),
            (
                110,
                Sign(&Terms {
                    title: "Sorting conveyor, phase 1 分拣输送线一期工程合同",
                    scheme: ByInvoice,
                    items: &[
                        ("Conveyor module 输送模块", 32, 25_000),
                        ("Sorter 分拣机", 2, 180_000),
                        ("Control cabinet 控制柜", 4, 30_000),
                    ],
                    plan: &[
                        (-100, 384_000, "Advance 预付款"),
                        (-20, 512_000, "Delivery 到货款"),
                        (5, 256_000, "Acceptance 验收款"),
                        (95, 128_000, "Retention 质保金"),
                    ],
                    signer: "顾晓峰",
                    days: 400,
                }),
            ),
            (105, Bill(1, 384_000)),
            (98, Paid(1, 384_000, BankTransfer)),
            (30, Bill(2, 512_000)),
            (15, Paid(2, 200_000, BankTransfer)),
            (
                6,
                LogContract(
                    call("Asked for the rest of the delivery payment 催到货款").then("Meet the cashier", 5),
                ),
            ),
            (2, Invoice(3, 256_000)),
            (1, Ask(3)),
            (1, Invoice(4, 64_000)),
        ],
        ..DEAL
    },
    Deal {
        key: "mes",
        customer: "shenzhen-pcb",
        name: "MES for four lines 四条产线 MES",
        amount: 640_000,
        grade: OpportunityGrade::A,
        closes: -83,
        acts: &[
            (130, Open),
            (122, Stage(NEEDS)),
            (110, Stage(PROPOSAL)),
            (96, Stage(NEGOTIATION)),
            (85, Stage(SIGNING)),
            (
                83,
                Sign(&Terms {
                    title: "MES licence and roll-out MES 软件实施合同",
                    scheme: ByInvoice,
                    items: &[("MES licence MES 许可", 4, 95_000), ("Engineering day 实施人天", 130, 2_000)],
                    plan: &[
                        (-60, 192_000, "Kick-off 启动款"),
                        (-8, 256_000, "Go-live 上线款"),
                        (45, 192_000, "Acceptance 验收款"),
                    ],
                    signer: "吴俊杰",
                    days: 365,
                }),
            ),
            (75, Bill(1, 192_000)),
            (58, Paid(1, 192_000, BankTransfer)),
            (30, Bill(2, 200_000)),
            (28, Void(2, "Wrong tax number 税号有误")),
            (12, Bill(3, 156_000)),
            (11, Invoice(4, 92_000)),
            (10, Ask(4)),
            (9, InvoiceAgrees(4, Manager)),
            (8, InvoiceAgrees(4, Finance)),
            (7, Invoice(5, 100_000)),
            (6, Ask(5)),
            (5, InvoiceAgrees(5, Manager)),
            (4, Invoice(6, 100_000)),
            (4, Ask(6)),
            (3, InvoiceRefuses(6, Manager, "One invoice for each line, please 请按产线分别开票")),
            (3, Invoice(7, 50_000)),
            (3, CancelInvoice(7)),
            (2, Receive(3, 156_000, BankTransfer)),
        ],
        ..DEAL
    },
    Deal {
        key: "retrofit",
        customer: "baltic-pack",
        name: "Folding line retrofit",
        amount: 148_000,
        currency: Currency::USD,
        closes: -88,
        acts: &[
            (125, Open),
            (118, Stage(NEEDS)),
            (108, Stage(PROPOSAL)),
            (99, Stage(NEGOTIATION)),
            (90, Stage(SIGNING)),
            (
                88,
                Sign(&Terms {
                    title: "Folding line retrofit",
                    scheme: ByInvoice,
                    items: &[("Drive package", 6, 18_000), ("Commissioning", 1, 40_000)],
                    plan: &[
                        (-60, 44_400, "Down payment"),
                        (3, 74_000, "Shipment"),
                        (70, 29_600, "Acceptance"),
                    ],
                    signer: "Katrin Vogel",
                    days: 300,
                }),
            ),
            (70, Bill(1, 44_400)),
            (59, Paid(1, 44_400, BankTransfer)),
            (10, Bill(2, 74_000)),
        ],
        ..DEAL
    },
    // Running, collected by contract.
    Deal {
        key: "vision",
        customer: "kunshan-optics",
        name: "Lens inspection 镜片视觉检测",
        amount: 450_000,
        closes: -78,
        acts: &[
            (120, Open),
            (112, Stage(NEEDS)),
            (104, Stage(PROPOSAL)),
            (92, Stage(NEGOTIATION)),
            (80, Stage(SIGNING)),
            (
                78,
                Sign(&Terms {
                    title: "Lens inspection system 镜片检测系统合同",
                    scheme: ByContract,
                    items: &[("Inspection station 检测工位", 3, 150_000)],
                    plan: &[
                        (-70, 135_000, "Order 订货款"),
                        (-12, 225_000, "Delivery 到货款"),
                        (21, 90_000, "Acceptance 验收款"),
                    ],
                    signer: "林书豪",
                    days: 365,
                }),
            ),
            (68, Paid(1, 135_000, BankTransfer)),
            (10, FinanceReceives(2, 225_000, BankTransfer)),
            (9, RejectPayment(2, "Belongs to another customer 该笔款属于其他客户")),
            (3, Receive(3, 100_000, BankTransfer)),
        ],
        ..DEAL
    },
    Deal {
        key: "agv",
        customer: "dongguan-toys",
        name: "AGV fleet 自动导引车车队",
        amount: 980_000,
        grade: OpportunityGrade::A,
        closes: -92,
        acts: &[
            (140, Open),
            (130, Stage(NEEDS)),
            (120, Stage(PROPOSAL)),
            (105, Stage(NEGOTIATION)),
            (95, Stage(SIGNING)),
            (
                92,
                Sign(&Terms {
                    title: "AGV fleet and dispatching 自动导引车系统合同",
                    scheme: ByContract,
                    items: &[("AGV 自动导引车", 10, 82_000), ("Dispatching software 调度软件", 1, 160_000)],
                    plan: &[
                        (-80, 294_000, "Advance 预付款"),
                        (-38, 392_000, "Delivery 到货款"),
                        (6, 196_000, "Acceptance 验收款"),
                        (120, 98_000, "Retention 质保金"),
                    ],
                    signer: "罗慧",
                    days: 500,
                }),
            ),
            (79, Paid(1, 294_000, BankTransfer)),
            (36, Paid(2, 392_000, AcceptanceBill)),
            (33, Reverse(2, "Bill was dishonoured 承兑汇票被拒付")),
            (20, Paid(3, 150_000, BankTransfer)),
        ],
        ..DEAL
    },
    Deal {
        key: "service",
        customer: "yangshan-port",
        name: "",
        amount: 120_000,
        acts: &[
            (
                66,
                Draft(&Terms {
                    title: "Crane drives, yearly service 港机驱动年度维保合同",
                    scheme: ByContract,
                    items: &[],
                    plan: &[
                        (-50, 30_000, "First quarter 第一季度"),
                        (25, 30_000, "Second quarter 第二季度"),
                        (115, 30_000, "Third quarter 第三季度"),
                        (205, 30_000, "Fourth quarter 第四季度"),
                    ],
                    signer: "宋海涛",
                    days: 365,
                }),
            ),
            (66, Submit),
            (65, Withdraw),
            (65, Submit),
            (64, Agrees(Manager)),
            (63, Agrees(Finance)),
            (49, Paid(1, 30_000, BankTransfer)),
            (5, Paid(2, 12_000, BankTransfer)),
        ],
        ..DEAL
    },
    // Ended early.
    Deal {
        key: "scada",
        customer: "nantong-dye",
        name: "SCADA for the dye house 染厂数据采集",
        amount: 210_000,
        closes: -140,
        acts: &[
            (178, Open),
            (170, Stage(NEEDS)),
            (160, Stage(PROPOSAL)),
            (150, Stage(NEGOTIATION)),
            (142, Stage(SIGNING)),
            (
                140,
                Sign(&Terms {
                    title: "SCADA for the dye house 染厂数据采集合同",
                    scheme: ByContract,
                    items: &[],
                    plan: &[
                        (-130, 63_000, "Advance 预付款"),
                        (-60, 105_000, "Delivery 到货款"),
                        (30, 42_000, "Acceptance 验收款"),
                    ],
                    signer: "曹明",
                    days: 240,
                }),
            ),
            (128, Paid(1, 63_000, BankTransfer)),
            (50, Terminate("The plant was closed 客户停产")),
        ],
        ..DEAL
    },
    Deal {
        key: "cane",
        customer: "nanning-sugar",
        name: "Bag stacking for the season 榨季码包线",
        amount: 186_000,
        closes: 120,
        acts: &[
            (100, Open),
            (92, Stage(NEEDS)),
            (84, Stage(PROPOSAL)),
            (70, Stage(NEGOTIATION)),
            (40, Stage(SIGNING)),
            (
                38,
                Write(&Terms {
                    title: "Bag stacking 码包线合同",
                    scheme: ByContract,
                    items: &[("Stacking robot 码包机器人", 1, 186_000)],
                    plan: &[(20, 93_000, "Order 订货款"), (80, 93_000, "Delivery 到货款")],
                    signer: "韦东",
                    days: 180,
                }),
            ),
            (22, Cancel("Customer put it off to the next season 客户推迟到下个榨季")),
        ],
        ..DEAL
    },
    // On the way to being signed.
    Deal {
        key: "mixer",
        customer: "hefei-battery",
        name: "Slurry mixer controls 浆料搅拌控制",
        amount: 275_000,
        closes: 10,
        acts: &[
            (60, Open),
            (52, Stage(NEEDS)),
            (44, Stage(PROPOSAL)),
            (30, Stage(NEGOTIATION)),
            (6, Stage(SIGNING)),
            (
                5,
                Write(&Terms {
                    title: "Slurry mixer controls 浆料搅拌控制合同",
                    scheme: ByInvoice,
                    items: &[("Control package 控制包", 5, 55_000)],
                    plan: &[(15, 137_500, "Order 订货款"), (75, 137_500, "Delivery 到货款")],
                    signer: "何霞",
                    days: 240,
                }),
            ),
            (2, Submit),
        ],
        ..DEAL
    },
    Deal {
        key: "compressor",
        customer: "zhuhai-home",
        name: "Compressor assembly 压缩机装配站",
        amount: 540_000,
        grade: OpportunityGrade::A,
        closes: 5,
        competitors: &["Pearl Robotics 明珠机器人"],
        acts: &[
            (75, Open),
            (66, Stage(NEEDS)),
            (55, Stage(PROPOSAL)),
            (40, Stage(NEGOTIATION)),
            (9, Stage(SIGNING)),
            (
                8,
                Write(&Terms {
                    title: "Compressor assembly station 压缩机装配站合同",
                    scheme: ByInvoice,
                    items: &[("Assembly station 装配站", 3, 180_000)],
                    plan: &[
                        (12, 162_000, "Advance 预付款"),
                        (90, 324_000, "Delivery 到货款"),
                        (150, 54_000, "Retention 质保金"),
                    ],
                    signer: "冯敏仪",
                    days: 365,
                }),
            ),
            (6, Submit),
            (3, Agrees(Manager)),
        ],
        ..DEAL
    },
    Deal {
        key: "hull",
        customer: "xiamen-yacht",
        name: "Hull sanding robots 船体打磨机器人",
        amount: 720_000,
        closes: 25,
        acts: &[
            (90, Open),
            (80, Stage(NEEDS)),
            (70, Stage(PROPOSAL)),
            (50, Stage(NEGOTIATION)),
            (16, Stage(SIGNING)),
            (
                15,
                Write(&Terms {
                    title: "Hull sanding robots 船体打磨机器人合同",
                    scheme: ByContract,
                    items: &[("Sanding robot 打磨机器人", 4, 180_000)],
                    plan: &[(30, 72_000, "Order 订货款"), (160, 648_000, "Acceptance 验收款")],
                    signer: "庄海伦",
                    days: 365,
                }),
            ),
            (13, Submit),
            (12, Agrees(Manager)),
            (
                11,
                Refuses(
                    Finance,
                    "Ninety percent after acceptance: we need a bank guarantee first. 验收后付九成，需先提供银行保函。",
                ),
            ),
        ],
        ..DEAL
    },
    Deal {
        key: "freezer",
        customer: "nordlys",
        name: "Freezer infeed line",
        amount: 390_000,
        closes: 14,
        acts: &[
            (70, Open),
            (60, Stage(NEEDS)),
            (48, Stage(PROPOSAL)),
            (30, Stage(NEGOTIATION)),
            (2, Stage(SIGNING)),
        ],
        ..DEAL
    },
    // Open.
    Deal {
        key: "test-bench",
        customer: "wuxi-valve",
        name: "Valve test bench 阀门试压台",
        amount: 168_000,
        closes: 20,
        acts: &[
            (55, Open),
            (47, Stage(NEEDS)),
            (36, Stage(PROPOSAL)),
            (18, Stage(NEGOTIATION)),
            (17, Log(call("Wants ten percent off 要求九折").then("Decide on the discount", 7))),
            (12, Log(task("Ask the manager about the discount 请示折扣", 2))),
        ],
        ..DEAL
    },
    Deal {
        key: "isolator",
        customer: "guangzhou-pharma",
        name: "Isolator loading 隔离器上下料",
        amount: 430_000,
        closes: 35,
        acts: &[(50, Open), (42, Stage(NEEDS)), (33, Stage(PROPOSAL)), (14, Stage(NEGOTIATION))],
        ..DEAL
    },
    Deal {
        key: "tea-packing",
        customer: "hangzhou-tea",
        name: "Tea packing line 茶叶包装线",
        amount: 96_000,
        grade: OpportunityGrade::C,
        closes: 28,
        acts: &[(40, Open), (30, Stage(NEEDS)), (16, Stage(PROPOSAL))],
        ..DEAL
    },
    Deal {
        key: "impellers",
        customer: "changzhou-pump",
        name: "Impeller balancing 叶轮动平衡",
        amount: 215_000,
        closes: 60,
        acts: &[
            (28, Open),
            (24, Stage(NEEDS)),
            (21, Stage(PROPOSAL)),
            (19, Back(NEEDS, "They want a second machine, we have to measure again 增加一台，重新测量")),
        ],
        ..DEAL
    },
    Deal {
        key: "sorting",
        customer: "jiaxing-parts",
        name: "Fastener sorting 紧固件分拣",
        grade: OpportunityGrade::C,
        closes: 90,
        acts: &[(12, Open), (11, Log(email("Asked for samples 索要样件")))],
        ..DEAL
    },
    Deal {
        key: "led",
        customer: "huizhou-led",
        name: "Lamp assembly 灯具装配线",
        amount: 132_000,
        closes: 55,
        acts: &[(20, Open), (11, Stage(NEEDS))],
        ..DEAL
    },
    // Opened by the conversion of a lead.
    Deal { key: "rolls", acts: &[(35, Stage(NEEDS)), (22, Stage(PROPOSAL))], ..DEAL },
    Deal { key: "crucibles", acts: &[(25, Stage(NEEDS))], ..DEAL },
    // Lost, one of them for the time being.
    Deal {
        key: "filling",
        customer: "shanghai-brewery",
        name: "Bottle filling line 装瓶线",
        amount: 78_000,
        grade: OpportunityGrade::C,
        closes: -20,
        acts: &[(70, Open), (60, Stage(NEEDS)), (35, Lose(LossReason::NoBudget, ""))],
        ..DEAL
    },
    Deal {
        key: "dumplings",
        customer: "pearl-foods",
        name: "Dumpling packing 水饺包装",
        amount: 260_000,
        closes: -30,
        competitors: &["Delta Motion Systems"],
        acts: &[
            (80, Open),
            (72, Stage(NEEDS)),
            (60, Stage(PROPOSAL)),
            (42, Lose(LossReason::Competitor, "Delta Motion Systems")),
        ],
        ..DEAL
    },
    Deal {
        key: "demo-cell",
        customer: "meier",
        name: "Demonstration cell",
        amount: 64_000,
        grade: OpportunityGrade::C,
        closes: 75,
        acts: &[(38, Open), (30, Stage(NEEDS)), (20, Lose(LossReason::NoDecision, "")), (8, Reopen)],
        ..DEAL
    },
];
