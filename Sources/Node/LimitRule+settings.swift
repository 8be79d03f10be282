import HTTPGateway
import Limits

extension LimitRule {
    /// The rules of a configuration: those of uploads and jobs, and what `limits.rules` adds.
    static func all(_ values: ConfigurationValues) throws(ConfigurationError) -> [LimitRule] {
        do {
            let uploads = try LimitPolicy(
                "uploads", limit: values.integer("limits.uploadsPerMinute"), per: .seconds(60))
            let jobs = try LimitPolicy("jobs", limit: values.integer("limits.jobsPerMinute"), per: .seconds(60))
            var rules = [
                LimitRule("POST", "/api/upload", uploads), LimitRule("POST", "/api/uploads", uploads),
                // Each holds one of a few places, perhaps for an hour: nobody gets all of them.
                LimitRule(
                    "POST", "/api/imports", uploads, atOnceMax: max(1, values.integer("import.concurrentMax") / 2)),
                LimitRule("POST", "/api/jobs", jobs),
            ]
            rules += try LimitRule.list(values.text("limits.rules"))
            // One bucket may be named by several rules, and then all of them mean the same.
            let keys = try refusedKeys(values).policy
            var policies = [keys.name: keys]
            for rule in rules where policies.updateValue(rule.policy, forKey: rule.name) ?? rule.policy != rule.policy {
                throw ConfigurationError(["limits.rules: two limits are named \(rule.name)"])
            }
            if values.text("limits.shadow") == "on" {
                for index in rules.indices { rules[index].isShadow = true }
            }
            return rules
        } catch let error as ConfigurationError {
            throw error
        } catch { throw ConfigurationError(["limits.rules: \(error)"]) }
    }

    /// How many keys that are none an address may show.
    static func refusedKeys(_ values: ConfigurationValues) throws(ConfigurationError) -> LimitRule {
        do {
            let policy = try LimitPolicy(
                "keys", limit: values.integer("limits.refusedKeysPerMinute"), per: .seconds(60))
            return LimitRule(
                "*", "/api/*", policy, per: .address, isShadow: values.text("limits.shadow") == "on")
        } catch { throw ConfigurationError(["limits.refusedKeysPerMinute: \(error)"]) }
    }

    /// Each bucket once.
    static func policies(of rules: [LimitRule]) -> [LimitPolicy] {
        var names: Set<String> = []
        return rules.map(\.policy).filter { names.insert($0.name).inserted }
    }
}
