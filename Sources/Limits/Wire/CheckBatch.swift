package import Membership

/// Checks that one node sends to the owner of their keys, all that were waiting.
///
/// Sent twice it is charged twice: that errs towards refusing, so no number protects it.
package struct CheckBatch: Hashable, Sendable {
    /// Equal checks of one key are one item.
    package struct Item: Hashable, Sendable {
        /// A place in `policies`.
        package var policy: Int
        package var subject: String
        package var quantity: Int
        /// How many checks of that quantity; 0 when only a slice is wished for.
        package var count: Int
        /// Units that the sender would like to be lent on top; 0 for none.
        package var wish: Int

        package init(policy: Int, subject: String, quantity: Int, count: Int, wish: Int) {
            self.policy = policy
            self.subject = subject
            self.quantity = quantity
            self.count = count
            self.wish = wish
        }
    }

    /// A slice that goes back to its lender.
    package struct Return: Hashable, Sendable {
        package var policy: Int
        package var subject: String
        package var number: UInt64
        package var unspent: Int

        package init(policy: Int, subject: String, number: UInt64, unspent: Int) {
            self.policy = policy
            self.subject = subject
            self.number = number
            self.unspent = unspent
        }
    }

    /// Items, and returns, of one batch; those beyond are answered `invalid`. A peer's mistake must not hold the
    /// owner's keys for longer than a call may take.
    package static let itemsMax = 4096

    package var sender: MemberID
    /// The names of the policies, each once: numbers differ between nodes.
    package var policies: [String]
    package var items: [Item]
    package var returns: [Return]

    package init(sender: MemberID, policies: [String], items: [Item], returns: [Return]) {
        self.sender = sender
        self.policies = policies
        self.items = items
        self.returns = returns
    }
}

/// What the owner says, item by item and in their order.
package struct CheckReply: Hashable, Sendable {
    package var answers: [ItemAnswer]

    package init(answers: [ItemAnswer]) { self.answers = answers }
}

package enum ItemAnswer: Hashable, Sendable {
    case decided(ItemDecision)
    /// The key belongs to somebody else, as far as this node knows; it is asked once more there.
    case elsewhere(owner: MemberID?)
    /// A policy that this node does not have: the nodes' configurations differ.
    case unknownPolicy
    /// The item breaks a rule of its own (an empty subject, a quantity below 1).
    case invalid
}

package struct ItemDecision: Hashable, Sendable {
    /// The first so many of the checks are admitted.
    package var admitted: Int
    package var remaining: Int
    /// For those that are not admitted; nil when they never will be.
    package var retryAfter: Nanoseconds?
    package var resetAfter: Nanoseconds
    package var slice: LentSlice?

    package init(
        admitted: Int, remaining: Int, retryAfter: Nanoseconds?, resetAfter: Nanoseconds, slice: LentSlice? = nil
    ) {
        self.admitted = admitted
        self.remaining = remaining
        self.retryAfter = retryAfter
        self.resetAfter = resetAfter
        self.slice = slice
    }
}

/// Units that may be spent without asking.
package struct LentSlice: Hashable, Sendable {
    package var number: UInt64
    package var units: Int
    /// Counted by the borrower from when it asked.
    package var lease: Nanoseconds

    package init(number: UInt64, units: Int, lease: Nanoseconds) {
        self.number = number
        self.units = units
        self.lease = lease
    }
}
