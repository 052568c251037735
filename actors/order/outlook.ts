/** How far an order's lines are, all together: what its machine's guards look at. */
export type Outlook = 'open' | 'backordered' | 'allocated' | 'partially_shipped' | 'shipped' | 'delivered' | 'cancelled'
