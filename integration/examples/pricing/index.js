module.exports = 'the private pricing'
